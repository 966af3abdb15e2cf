"""A result is delivered only when its checks accept it; what they say is part of its handoff (D11)."""

import asyncio
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from echelon import Assignment, Brief, Job, Resilience, Verdict, agent, command
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.model.errors import InvalidJob
from echelon.model.handoff import Handoff
from echelon.model.run import RunStatus
from echelon.testing.oversight import approving
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.jobs import missing_in

pytestmark = pytest.mark.anyio

QUICK = Resilience(attempts=3, backoff_seconds=0.001, backoff_max_seconds=0.001)


def names() -> list[str]:
    return ["a", "b"]


@agent
async def spell(name: str, brief: Brief) -> str:
    """Spell a name, longer each time that something was missing."""
    return name * (1 + len(brief.gaps))


def a_job(success: list[Any], *, each: Any = spell, resilience: Resilience = QUICK, **phase: Any) -> Job:
    job = Job("spelling", goal="Spell names", defaults=resilience)
    job.phase("spell", each=each, over=names, success=success, **phase)
    return job


def handoff_of(run: RunContext, task: str) -> Handoff:
    return next(step.handoff for step in reversed(run.log.state.steps) if step.handoff.task_id == task)


async def test_what_is_rejected_is_done_again_with_what_is_missing(tmp_path: Path) -> None:
    def is_long(output: str, item: str) -> str:
        assert output.startswith(item)
        return "" if len(output) >= 3 else f"{3 - len(output)} letters are missing"

    async with a_run(a_job([is_long]), tmp_path) as run:
        outputs = await run_phases(run)
        handoff = handoff_of(run, "spell/a")

    assert (handoff.attempts, handoff.done) == (3, True)
    assert handoff.verification is not None
    assert (handoff.verification.result, handoff.verification.said) == ("accepted", "accepted: is_long accepted")
    assert status_after(outputs) is RunStatus.COMPLETED


async def test_the_next_attempt_is_told_every_gap(tmp_path: Path) -> None:
    told: list[tuple[str, ...]] = []

    @agent
    async def listen(name: str, brief: Brief) -> str:
        """Listen."""
        told.append(brief.gaps)
        return name

    def never(output: str) -> str:
        return f"gap {len(told)}"

    job = Job("listening", goal="Listen", defaults=QUICK)
    job.phase("listen", each=listen, over=lambda: ["a"], success=[never])
    async with a_run(job, tmp_path) as run:
        await run_phases(run)

    assert told == [(), ("never: gap 1",), ("never: gap 1", "never: gap 2")]


async def test_out_of_attempts_it_has_failed_and_names_the_check_and_the_gap(tmp_path: Path) -> None:
    def never(output: str) -> str:
        return "too short"

    async with a_run(a_job([never]), tmp_path) as run:
        outputs = await run_phases(run)
        handoff = handoff_of(run, "spell/a")

    assert handoff.error is not None
    assert (handoff.error.kind, handoff.error.message) == (
        "NotAccepted",
        "what spell delivered was rejected by never: too short",
    )
    assert "change the work or the check" in handoff.error.next_step
    assert handoff.verification is not None
    assert handoff.verification.result == "rejected"
    assert status_after(outputs) is RunStatus.FAILED
    assert sorted(one.task_id for one in view_so_far(run).missing) == ["spell/a", "spell/b"]


async def test_what_cannot_be_undone_is_not_done_again(tmp_path: Path) -> None:
    done: list[str] = []

    @agent(effect="irreversible")
    async def pay(name: str) -> str:
        """Pay."""
        done.append(name)
        return name

    def never(output: str) -> bool:
        return False

    async with a_run(a_job([never], each=pay), tmp_path, ask=approving()) as run:
        await run_phases(run)
        first = handoff_of(run, "spell/a")
    async with a_run(a_job([never], each=pay), tmp_path) as run:
        await run_phases(run)
        again = handoff_of(run, "spell/a")

    assert sorted(done) == ["a", "b"]
    assert first.error is not None
    assert again.error is not None
    assert (first.error.kind, again.error.kind) == ("NotAccepted", "ApprovalPending")


async def test_a_check_that_raises_says_nothing_about_the_work_and_is_said(tmp_path: Path) -> None:
    def breaks(output: str) -> bool:
        raise RuntimeError("no such rule")

    async with a_run(a_job([breaks]), tmp_path) as run:
        outputs = await run_phases(run)
        view, handoff = view_so_far(run), handoff_of(run, "spell/a")

    assert (handoff.done, handoff.attempts) == (True, 1)
    assert handoff.verification is not None
    assert handoff.verification.result == "error"
    assert handoff.caveat == "its check failed: breaks: RuntimeError: no such rule"
    assert status_after(outputs) is RunStatus.PARTIAL
    assert view.unverified == dict.fromkeys(("spell/a", "spell/b"), handoff.unverified)
    assert {one.task_id: one.instead for one in view.missing} == {"spell/a": "a", "spell/b": "b"}
    assert view.stand_ins == {}


@pytest.mark.parametrize("raised", [SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError()])
async def test_a_check_that_wants_to_end_the_process_ends_itself_only(tmp_path: Path, raised: BaseException) -> None:
    async def ends(output: str) -> bool:
        raise raised

    async with a_run(a_job([ends]), tmp_path) as run:
        outputs = await run_phases(run)
        handoff = handoff_of(run, "spell/b")

    assert handoff.verification is not None
    assert handoff.verification.result == "error"
    assert status_after(outputs) is RunStatus.PARTIAL


async def test_a_check_that_hangs_is_ended_by_a_time_limit_of_its_own(tmp_path: Path) -> None:
    """The time of a check is not that of its author, which has a shorter one here."""
    hold = threading.Event()

    @agent(timeout=0.3)
    async def hangs(output: str) -> bool:
        """Wait for ever."""
        await asyncio.get_running_loop().run_in_executor(None, hold.wait)
        return True

    async with a_run(a_job([hangs], resilience=QUICK.model_copy(update={"timeout_seconds": 0.2})), tmp_path) as run:
        await run_phases(run)
        handoff = handoff_of(run, "spell/a")
    hold.set()

    assert handoff.done
    assert handoff.verification is not None
    assert handoff.verification.result == "error"
    assert "no answer within its 0.3 s" in handoff.verification.reason


async def test_commands_say_it_by_their_exit_code_and_behind_functions(tmp_path: Path) -> None:
    asked: list[str] = []

    def is_text(output: str) -> bool:
        asked.append(output)
        return True

    code = "import sys; sys.stdin.read(); print('not long enough'); sys.exit(1)"
    refuses = command([sys.executable, "-c", code], name="refuses", stdin="{item}")
    async with a_run(a_job([refuses, is_text]), tmp_path) as run:
        await run_phases(run)
        handoff = handoff_of(run, "spell/a")

    assert handoff.verification is not None
    assert [one.name for one in handoff.verification.checks] == ["is_text", "refuses"]
    assert handoff.verification.reason == "refuses: not long enough"
    assert "aaa" in asked


async def test_the_first_that_rejects_is_the_last_that_is_asked(tmp_path: Path) -> None:
    asked: list[str] = []

    def first(output: str) -> bool:
        return False

    def second(output: str) -> bool:
        asked.append(output)
        return True

    async with a_run(a_job([first, second]), tmp_path) as run:
        await run_phases(run)

    assert asked == []


async def test_what_is_stated_in_words_is_told_and_counts_as_checked_by_nobody(tmp_path: Path) -> None:
    told: list[tuple[str, ...]] = []

    @agent
    async def listen(name: str, assignment: Assignment) -> str:
        """Listen."""
        told.append(assignment.success)
        return name

    async with a_run(a_job(["it is polite"], each=listen), tmp_path) as run:
        outputs = await run_phases(run)
        handoff = handoff_of(run, "spell/a")

    assert told[0] == ("it is polite",)
    assert handoff.verification is not None
    assert handoff.verification.unchecked == ("it is polite",)
    assert handoff.verification.result == "unverifiable"
    assert "success is stated in words only ('it is polite'), and nobody checks words" in handoff.caveat
    assert status_after(outputs) is RunStatus.PARTIAL


async def test_a_text_beside_a_check_that_passes_is_said_and_counts_as_not_checked(tmp_path: Path) -> None:
    def is_said(output: str) -> bool:
        return bool(output)

    async with a_run(a_job(["it is polite", is_said]), tmp_path) as run:
        outputs = await run_phases(run)
        handoff, view = handoff_of(run, "spell/a"), view_so_far(run)

    assert handoff.verification is not None
    assert handoff.verification.said == "accepted: is_said accepted; not checked: 'it is polite'"
    assert (view.unchecked, view.unverified) == ({"spell": ("it is polite",)}, {})
    assert status_after(outputs) is RunStatus.COMPLETED


async def test_a_verdict_that_cannot_be_told_completes_the_step_and_makes_the_run_partial(tmp_path: Path) -> None:
    def unknown(output: str) -> Verdict:
        return Verdict.unverifiable("there is no reference")

    async with a_run(a_job([unknown]), tmp_path) as run:
        outputs = await run_phases(run)
        handoff = handoff_of(run, "spell/a")

    assert handoff.caveat == "cannot be verified: unknown: there is no reference"
    assert status_after(outputs) is RunStatus.PARTIAL


async def test_nothing_stated_leaves_no_verification(tmp_path: Path) -> None:
    async with a_run(a_job([]), tmp_path) as run:
        await run_phases(run)
        handoff = handoff_of(run, "spell/a")

    assert (handoff.verification, missing_in(run)) == (None, ())


async def test_a_check_that_changes_what_it_is_given_changes_nothing_of_the_result(tmp_path: Path) -> None:
    @agent
    async def split(name: str) -> list[str]:
        """Split a name."""
        return [*name, "end"]

    def spoils(output: list[str]) -> bool:
        output.clear()
        return True

    def is_whole(output: list[str]) -> bool:
        return len(output) == 2

    async with a_run(a_job([spoils, is_whole], each=split), tmp_path) as run:
        await run_phases(run)
        kept = view_so_far(run).output

    assert kept == {"spell/a": ["a", "end"], "spell/b": ["b", "end"]}


@pytest.mark.parametrize(
    ("success", "said"),
    [
        ("polite", "success takes a list"),
        ([" "], "an empty text"),
        ([3], "3 cannot check anything"),
        ([spell], "would check its own work"),
        ([lambda output: True, lambda output: False], "two checks are called '<lambda>'"),
    ],
)
def test_what_makes_no_sense_is_refused(success: Any, said: str) -> None:
    with pytest.raises(InvalidJob, match=said):
        a_job(success)
