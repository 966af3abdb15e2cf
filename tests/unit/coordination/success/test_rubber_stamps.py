"""Whoever verifies the results of a phase and accepted everything is tried with wrong ones, whoever named it (O3)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

from echelon import Job, Outcome, Oversight, Resilience, Verdict, agent
from echelon.agents.agent import Effect
from echelon.agents.call import Call, CallShape
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.model.run import RunStatus, RunView
from echelon.runlog.state import RunState
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.jobs import ONCE

pytestmark = pytest.mark.anyio


@agent
async def spell(name: str) -> str:
    """Spell a name."""
    return name


def stamp(output: str) -> bool:
    return len(output) > 0  # notices an empty result, and nothing else


def is_right(output: str, item: str) -> bool:
    return output == item


@dataclass(frozen=True)
class Nodding:
    """An agent of its own kind, that accepts whatever says something."""

    name: str = "nodding"
    goal: str = "Judge"
    effect: Effect = "read"
    resilience: Resilience = ONCE
    output_type: object = Verdict

    def bind(self, shape: CallShape) -> Self:
        return self

    async def perform(self, call: Call) -> Outcome[object]:
        assert call.output is not None
        return Outcome(output=Verdict.accepted() if call.output.load() else Verdict.rejected("it is empty"))


def a_job(count: int = 12, oversight: Oversight | None = None, **phase: Any) -> Job:
    job = Job("spelling", goal="Spell names", defaults=ONCE, oversight=oversight)
    job.phase("spell", each=spell, over=lambda: [f"n{number}" for number in range(count)], **phase)
    return job


async def carried_out(job: Job, home: Path) -> tuple[RunState, RunView, RunStatus]:
    async with a_run(job, home) as run:
        outputs = await run_phases(run)
        return run.log.state, view_so_far(run), status_after(outputs)


async def test_a_rubber_stamp_of_a_phase_is_found_and_none_of_its_verdicts_counts(tmp_path: Path) -> None:
    state, view, status = await carried_out(a_job(verify=stamp), tmp_path)

    probe = state.probes["stamp"]
    assert (probe.is_exposed, probe.accepted, probe.verdicts) == (True, ("noise", "hollow", "another's"), 12)
    assert (view.judged.verified, view.judged.unverified, status) == (0, 12, RunStatus.PARTIAL)
    assert "stamp accepts whatever it is given" in view.unverified["spell/n0"]
    assert [(one.source, one.route.value) for one in view.concerns] == [("audit", "immediate")]


async def test_one_that_notices_is_asked_once_and_its_verdicts_count(tmp_path: Path) -> None:
    state, view, status = await carried_out(a_job(verify=[is_right]), tmp_path)

    assert state.probes["is_right"].noticed == "noise"
    assert (view.judged.verified, view.judged.unverified, status) == (12, 0, RunStatus.COMPLETED)


async def test_those_of_the_job_and_of_the_phase_are_tried_each_by_itself(tmp_path: Path) -> None:
    job = a_job(verify=stamp, oversight=Oversight(verify=is_right))

    state, view, _ = await carried_out(job, tmp_path)

    assert {name: one.is_exposed for name, one in state.probes.items()} == {"stamp": True, "is_right": False}
    assert (view.judged.verified, view.judged.unverified) == (0, 12), "both had to accept it"


@pytest.mark.parametrize(
    ("count", "tried"),
    [
        (9, False),  # oversight of the whole begins at 10 agents (R11)
        (10, True),
    ],
)
async def test_it_begins_where_oversight_of_the_whole_begins(tmp_path: Path, count: int, tried: bool) -> None:
    state, _, _ = await carried_out(a_job(count, verify=stamp), tmp_path)

    assert ("stamp" in state.probes) == tried


async def test_one_that_is_no_function_is_tried_the_same_way(tmp_path: Path) -> None:
    state, view, _ = await carried_out(a_job(success=[Nodding()]), tmp_path)

    assert (view.judged.verified, state.probes["nodding"].is_exposed) == (0, True)


async def test_a_resumed_run_tries_nobody_twice(tmp_path: Path) -> None:
    first, seen, _ = await carried_out(a_job(verify=stamp), tmp_path)

    second, again, _ = await carried_out(a_job(verify=stamp), tmp_path)

    assert (second.probes, again.concerns, again.judged) == (first.probes, seen.concerns, seen.judged)
