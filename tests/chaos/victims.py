"""Processes that run a job and may be killed: a nursery that forks one for each run, since starting Python is slow.

with Nursery() as nursery:
    ended = nursery.run(Errand(home=..., world=..., at="step.recorded:3"))
"""

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import TypeAdapter

from echelon.coordination.job_run import run_phases
from echelon.coordination.step.intents import OperatorDecision
from echelon.coordination.step.retries import RetryRequest
from echelon.engine.run import RunOptions, finish, prepare_run
from echelon.journal import failpoints
from echelon.journal.digest import digest_of
from echelon.journal.journal import SqlJournal
from echelon.model.handoff import Handoff
from echelon.model.run import StepRecord
from echelon.model.status import Status
from echelon.settings import Settings
from echelon.testing.oversight import approving
from tests.chaos.jobs import random_job
from tests.chaos.jobs.alternating_job import alternating_job
from tests.chaos.jobs.audited_job import audited_job
from tests.chaos.jobs.checked_job import checked_job
from tests.chaos.jobs.conflicting_job import conflicting_job
from tests.chaos.jobs.disputed_job import disputed_job
from tests.chaos.jobs.keeping_job import keeping_job
from tests.chaos.jobs.mended_check_job import mended_check_job
from tests.chaos.jobs.mending_job import mending_job
from tests.chaos.jobs.mixed_job import mixed_job
from tests.chaos.jobs.payments_job import payments_job
from tests.chaos.jobs.probed_job import probed_job
from tests.chaos.jobs.quota_job import quota_job
from tests.chaos.jobs.redundant_job import redundant_job
from tests.chaos.jobs.ruled_job import ruled_job
from tests.chaos.jobs.shipping_job import Parcels, World, shipping_job
from tests.chaos.jobs.trusted_job import trusted_job
from tests.chaos.jobs.voiced_job import voiced_job
from tests.chaos.jobs.wavy_job import wavy_job

ROOT = Path(__file__).parents[2]

#: Runs that are looked through for the one to go on with, the newest first.
MAX_RUNS = 50

#: The jobs there are errands for, by name.
JOBS = {
    job.name: job
    for job in (
        shipping_job,
        payments_job,
        mixed_job,
        mending_job,
        voiced_job,
        keeping_job,
        quota_job,
        redundant_job,
        checked_job,
        probed_job,
        mended_check_job,
        trusted_job,
        conflicting_job,
        disputed_job,
        alternating_job,
        wavy_job,
        audited_job,
        ruled_job,
    )
}

#: A run that takes longer hangs, in seconds.
HANGS_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Errand:
    """A run of a job, begun or gone on with, and where it is killed."""

    job: str = shipping_job.name
    """Name of the job."""
    home: str
    world: str
    """Folder of the world; it names the run, so that many may share a journal."""
    at: str = ""
    """Crash point and passage; empty: it lives."""
    listing: str = ""
    """File for the names of the points that are passed."""
    kill_after_seconds: float | None = None
    """When it is killed, wherever it is then; None: it is not."""
    kill_behind: str = ""
    """Point that it is killed behind, wherever it is then; `listing` says that it has passed. Empty: it is not."""
    settings: dict[str, Any] = field(default_factory=dict[str, Any])
    """Other settings, such as the URL of the journal."""
    count: int = 4
    """Parcels to send."""
    seconds: float = 0.0
    """Time that agents take."""
    concurrency: int = 1
    """Agents at work at one time; one at a time they pass the crash points always in the same order."""
    redo: tuple[str, ...] = ()
    """Tasks that a person wants done again."""
    retry: tuple[str, ...] = ()
    """What a person wants done again of a run that ended; asked for until that is on record, and not once more."""
    done: dict[str, str] = field(default_factory=dict[str, str])
    """Tasks that a person knows to be done, with what came out of them."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How an errand ended."""

    run_id: str = ""
    """The run; empty when it was killed."""
    exit_code: int
    """0; the negative number of the signal that killed it; 1 when it ended with an error."""
    output: str = ""
    """What the run delivered, as a digest; empty when it was killed; the error when there was one."""
    status: str = ""
    """How the run ended; empty when it was killed."""
    concerns: tuple[str, ...] = ()
    """Who raised a concern that is on record, in alphabetical order."""
    proposals: tuple[str, ...] = ()
    """Tasks that were proposed, each with whether it was taken, in alphabetical order."""
    completed: tuple[str, ...] = ()
    """What is on record as completed, in alphabetical order; twice what is there twice."""
    records: tuple[str, ...] = ()
    """Agents with how many of their results in this run were right and wrong; empty without autonomy."""
    uncertain: dict[str, str] = field(default_factory=dict[str, str])
    """What may have happened and waits for a person, with what that person is told."""

    @property
    def killed(self) -> bool:
        """Did it die as it was told to?"""
        return self.exit_code == -signal.SIGKILL


_ERRAND = TypeAdapter(Errand)
_ENDED = TypeAdapter(Ended)


async def carry_out(errand: Errand) -> Ended:
    """Begin the run, or go on with it when the journal knows it; Prefect alone is left out."""
    settings = Settings(home=Path(errand.home), **errand.settings)
    inputs = Parcels(world=Path(errand.world), count=errand.count, seconds=errand.seconds)
    run_id = await known_run(settings, errand.world)
    asks = bool(errand.retry) and run_id is not None and not await is_retried(settings, run_id)
    options = RunOptions(
        run_id=run_id,
        ask=approving(),
        max_concurrency=errand.concurrency,
        decision=OperatorDecision(redo=frozenset(() if errand.retry else errand.redo), done=errand.done),
        retry=RetryRequest(tasks=errand.retry, redo=errand.redo) if asks else None,
    )
    job = JOBS.get(errand.job) or random_job.read_job(inputs.world)
    async with prepare_run(job, inputs, options, settings) as run:
        World(inputs.world).begin(names_of(run.context.log.state.finished_steps.values()))
        result = await finish(run, await run_phases(run.context))
        journal, run_id = run.context.log.journal, run.context.spec.run_id
        handoffs = [step.handoff for step in await journal.steps(run_id)]
        return Ended(
            run_id=run_id,
            exit_code=0,
            output=digest_of(result.output),
            status=(await journal.run(run_id)).status.value,
            concerns=tuple(sorted(record.source for record in await journal.concerns(run_id))),
            proposals=tuple(
                sorted(f"{one.proposal.goal}: {one.decision and one.decision.taken}" for one in result.proposals)
            ),
            completed=tuple(sorted(handoff.task_id for handoff in handoffs if handoff.done)),
            records=tuple(
                f"{one.agent}: {sum(one.now.right) - sum(one.before.right)} right, "
                f"{sum(one.now.wrong) - sum(one.before.wrong)} wrong"
                for one in result.autonomy
            ),
            uncertain=uncertain(handoffs),
        )


def names_of(steps: Iterable[StepRecord]) -> list[str]:
    """Return the names of steps that are done, alone and with the number of the round."""
    return [name for step in steps for name in _names_of(step)]


def _names_of(step: StepRecord) -> Sequence[str]:
    task = step.handoff.task_id
    return (f"{task}#{step.replica}",) if step.replica else (task, f"{task}@{step.round}")


def uncertain(handoffs: Sequence[Handoff]) -> dict[str, str]:
    """Return the tasks that are blocked since nobody knows whether they were done, with what is said about it."""
    last = {handoff.task_id: handoff for handoff in handoffs}
    blocked = {task: handoff.error for task, handoff in last.items() if handoff.status is Status.BLOCKED}
    return {task: error.asks for task, error in blocked.items() if error and error.asks}


async def known_run(settings: Settings, world: str) -> str | None:
    """Return the run that works on a world; None before there is one."""
    async with SqlJournal.open(settings) as journal:
        return next((one.run_id for one in await journal.runs(MAX_RUNS) if one.inputs.get("world") == world), None)


async def is_retried(settings: Settings, run_id: str) -> bool:
    """Say whether it is on record that something of a run is to be done again."""
    async with SqlJournal.open(settings) as journal:
        return bool(await journal.events(run_id, kinds=("tasks_retried",)))


class Nursery:
    """A process that has imported everything, and forks for each errand."""

    def __enter__(self) -> Self:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ECHELON_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.victims"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.communicate()

    def run(self, errand: Errand) -> Ended:
        """Let a process of its own run an errand, to its end or to its death."""
        self.start(errand)
        return self.wait()

    def start(self, errand: Errand) -> None:
        """Let a process of its own begin an errand; one at a time."""
        assert self._process.stdin is not None
        print(json.dumps(asdict(errand)), file=self._process.stdin, flush=True)

    def wait(self) -> Ended:
        """Wait for the process that was started to end."""
        assert self._process.stdout is not None
        return _ENDED.validate_json(self._process.stdout.readline())


def _serve() -> None:
    with tempfile.TemporaryDirectory() as folder:  # what is slow once is paid before the first child is forked
        asyncio.run(carry_out(Errand(home=f"{folder}/home", world=f"{folder}/world")))
    for line in sys.stdin:
        print(json.dumps(asdict(_forked(_ERRAND.validate_json(line)))), flush=True)


def _forked(errand: Errand) -> Ended:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os._exit(_child(errand, writing))
    os.close(writing)
    if errand.kill_after_seconds is not None and not select.select([reading], [], [], errand.kill_after_seconds)[0]:
        os.kill(child, signal.SIGKILL)
    if errand.kill_behind and _has_passed(errand, reading):
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reading) as told:
        said = told.read()
    exit_code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return _ENDED.validate_json(said) if exit_code == 0 else Ended(exit_code=exit_code, output=said)


def _has_passed(errand: Errand, reading: int) -> bool:
    """Return when a point was passed, or the process has ended."""
    listing = Path(errand.listing)
    while not (listing.exists() and errand.kill_behind in listing.read_text(encoding="utf-8").split()):
        if select.select([reading], [], [], 0.02)[0]:
            return False
    return True


def _child(errand: Errand, writing: int) -> int:
    signal.alarm(HANGS_SECONDS)
    failpoints.arm({failpoints.AT: errand.at, failpoints.LIST: errand.listing})
    with os.fdopen(writing, "w") as told:
        try:
            told.write(json.dumps(asdict(asyncio.run(carry_out(errand)))))
        except BaseException as error:  # noqa: BLE001 - told to who waits
            told.write("".join(traceback.format_exception(error)))
            return 1
    return 0


if __name__ == "__main__":
    _serve()
