"""Phases one behind the other: sync points, what consumers learn, and what happens to those who wait in vain."""

import asyncio
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import pytest

from echelon import AgentFailed, Brief, Handoffs, Job, Outcome, agent
from echelon.coordination.briefs import MAX_LISTED, missing_lines
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.coordination.local_placement import LocalPlacement
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.placement import StageOrder
from echelon.coordination.result import status_after
from echelon.coordination.step.envelope import MAX_SUMMARY
from echelon.model.assignment import Assignment
from echelon.model.exception_report import Trigger
from echelon.model.handoff import Handoff, Missing, OutputReference
from echelon.model.run import RunStatus, StepKind
from echelon.model.status import Status
from echelon.runlog.events import LoggedEvent, PhaseStarted, StepEnded, StepStarted
from echelon.testing.runs import a_run
from echelon.visibility.progress import tally_of
from tests.unit.coordination.jobs import (
    Item,
    Items,
    Watched,
    items,
    look,
    looking,
    missing_in,
    on_record,
    output_of,
)

pytestmark = pytest.mark.anyio


@agent
async def conclude(look: Handoffs[str], brief: Brief) -> list[str]:
    """Say what was seen."""
    return [*look.outputs(), *(f"without {missing.task_id}" for missing in look.missing)]


def concluding(**phase: object) -> Job:
    job = looking(**phase)
    job.phase("conclude", agent=conclude, needs="look")
    return job


async def test_a_consumer_gets_what_the_phase_before_delivered_and_what_it_did_not(tmp_path: Path) -> None:
    async with a_run(concluding(), tmp_path, items(3, failing=frozenset({1}))) as run:
        delivered = await run_phases(run)

        assert output_of(run) == ["i0", "i2", "without look/i1"]
    assert status_after(delivered) is RunStatus.PARTIAL


async def test_a_phase_that_delivers_nothing_blocks_its_consumers_on_record(tmp_path: Path) -> None:
    seen = Watched()
    async with a_run(concluding(), tmp_path, items(2, failing=frozenset({0, 1})), watch=seen) as run:
        delivered = await run_phases(run)
        step = (await run.log.journal.steps(run.spec.run_id, "conclude"))[0]
        exceptions = (await on_record(run)).exceptions

    assert (step.handoff.status, step.handoff.attempts) == (Status.BLOCKED, 0)
    assert step.handoff.error is not None
    assert step.handoff.error.message == "phase 'look' delivered nothing"
    triggers = [Trigger.FAILED, Trigger.FAILED, Trigger.BLOCKED, Trigger.INCIDENT]
    assert [report.trigger for report in exceptions] == triggers
    assert "1 task not started" in exceptions[-2].message
    assert status_after(delivered) is RunStatus.FAILED
    assert [one.task_id for one in missing_in(run)] == ["look/i0", "look/i1", "conclude/conclude"]
    assert tally_of(seen.state, "conclude").failed == 1


async def test_a_phase_whose_needed_phase_had_nothing_to_do_runs(tmp_path: Path) -> None:
    async with a_run(concluding(), tmp_path, Items()) as run:
        delivered = await run_phases(run)

        assert (output_of(run), status_after(delivered)) == ([], RunStatus.COMPLETED)


async def test_a_job_without_any_task_is_done(tmp_path: Path) -> None:
    async with a_run(looking(), tmp_path, Items()) as run:
        delivered = await run_phases(run)

    assert (delivered, output_of(run), status_after(delivered)) == ({}, None, RunStatus.COMPLETED)


class Forgetful:
    """Pretends that one agent was done, without a trace in the journal."""

    def __init__(self, run: RunContext, forgotten: str) -> None:
        self._run = run
        self._forgotten = forgotten

    async def run(self, order: StageOrder) -> PhaseOutput:
        """Do what is ordered, but for the one task."""
        tasks = tuple(task for task in order.tasks if task != self._forgotten)
        output = await LocalPlacement(self._run).run(order.model_copy(update={"tasks": tasks}))
        return output if tasks == order.tasks else output.model_copy(update={"handoffs": (*output.handoffs, self._lie)})

    @property
    def _lie(self) -> Handoff:
        made_up = OutputReference(location="run/aa-bb.json", sha256="bb", size_bytes=1, contract="str@1")
        return Handoff(
            task_id=self._forgotten,
            status=Status.COMPLETED,
            summary="",
            producer=self._forgotten,
            assignment_id="",
            output_location=made_up,
        )


async def test_the_sync_point_believes_the_journal_alone(tmp_path: Path) -> None:
    """Whatever a part says that was done elsewhere: who has ended is asked of the journal."""
    async with a_run(looking(), tmp_path, items(9, 9)) as run:
        delivered = await run_phases(run, Forgetful(run, "look/i10"))

    there = [f"look/i{n}" for n in range(18) if n != 10]
    assert sorted(handoff.task_id for handoff in delivered["look"].handoffs) == sorted(there)
    assert [(one.task_id, one.reason) for one in delivered["look"].missing] == [("look/i10", "no handoff was recorded")]
    assert [one.task_id for one in missing_in(run)] == ["look/i10"]


async def test_a_brief_tells_goals_bounds_and_where_to_read_but_no_method(tmp_path: Path) -> None:
    briefs: list[Brief] = []

    @agent(goal="Judge")
    async def judge(brief: Brief, assignment: Assignment) -> int:
        assert assignment == brief.assignment
        briefs.append(brief)
        return 1

    job = Job("judging", goal="See everything", inputs=Items, constraints=["touch nothing"])
    job.phase("look", each=look, over=lambda items: items, domain=lambda item: item.domain)
    job.phase("judge", agent=judge, needs="look")
    async with a_run(job, tmp_path, items(2, failing=frozenset({1}))) as run:
        await run_phases(run)

        brief = briefs[0]
        assert (brief.run_id, brief.phase) == ("run", "judge")
        assert brief.assignment.intent.model_dump() == {"job": "See everything", "domain": "judge", "task": "Judge"}
        assert brief.assignment.constraints == ("touch nothing",)
        assert [run.outputs.get(_reference(run, location), str) for location in brief.assignment.references] == ["i0"]
        assert (
            run.spec.plan.nodes[brief.reports_to].id
            == run.spec.plan.nodes[run.spec.plan.agent_of["judge/judge"]].parent
        )
    assert brief.summary == "Phase look: 2 tasks, 1 missing. i0"
    assert brief.missing == ("look/i1: i1 cannot be read",)
    assert {"method", "how", "steps"} & (set(Assignment.model_fields) | set(Brief.model_fields)) == set()


def _reference(run: RunContext, location: str) -> OutputReference:
    return next(
        step.handoff.output_location
        for step in run.log.state.steps
        if step.handoff.output_location and step.handoff.output_location.location == location
    )


def test_a_brief_spells_out_so_much_and_counts_the_rest() -> None:
    reasons = [letters * 3000 for letters in map("".join, product("wxyz", repeat=5))][:1000]
    lines = missing_lines(Missing(task_id="t", producer="t", reason=reason) for reason in reasons)

    assert len(lines) == MAX_LISTED + 1
    assert lines[-1] == "and 980 more"
    assert max(map(len, lines)) == MAX_SUMMARY + len("t: ")


def test_a_brief_says_one_cause_once_with_as_many_names_as_there_is_room_for() -> None:
    """One line each repeated the same error to every consumer, at the price of its tokens."""
    lost = [Missing(task_id=f"look/{n}", producer=f"look/{n}", reason=f"look/{n}: 429, id {n}x") for n in range(1000)]

    (line,) = missing_lines(lost)
    assert line.startswith("look/0, look/1, ")
    assert line.endswith("look/19 and 980 more: look/0: 429, id 0x (the first; others differ)")


async def test_briefs_stay_small_however_much_goes_wrong_and_however_much_agents_say(tmp_path: Path) -> None:
    sizes: list[int] = []

    @agent
    async def talk(item: Item) -> Outcome[str]:
        if item.fails:
            raise AgentFailed("no " * 10_000)
        return Outcome(output="", summary="yes " * 10_000)

    @agent
    async def listen(brief: Brief) -> int:
        sizes.append(len(brief.model_dump_json()))
        return 1

    job = looking(each=talk)
    job.phase("listen", agent=listen, needs="look")
    async with a_run(job, tmp_path, items(120, failing=frozenset(range(60)))) as run:
        await run_phases(run)

    assert sizes[0] < 20_000


async def test_everything_that_begins_ends_in_the_eyes_of_an_observer(tmp_path: Path) -> None:
    seen = Watched()
    given = items(2, 2, failing=frozenset({3}))
    async with a_run(concluding(), tmp_path, given, watch=seen) as run:
        await run_phases(run)

    assert [event.phase for event in seen.of(PhaseStarted)] == ["look", "conclude"]
    tasks = ["conclude/conclude", *(f"look/i{n}" for n in range(4))]
    assert sorted(event.task_id for event in seen.of(StepStarted) if event.step is StepKind.TASK) == tasks
    assert sorted(event.subject for event in seen.of(StepEnded) if event.record.kind is StepKind.TASK) == tasks


async def test_a_run_that_is_cancelled_keeps_what_was_completed_on_record(tmp_path: Path) -> None:
    held, others_done = asyncio.Event(), asyncio.Barrier(3)

    @agent
    async def hold(item: Item) -> str:
        if item.fails:
            held.set()
            await asyncio.Event().wait()
        return item.id

    waiting: list[asyncio.Task[int]] = []

    def watch(entries: Sequence[LoggedEvent]) -> None:
        ended = [entry for entry in entries if isinstance(entry.event, StepEnded)]
        waiting.extend(asyncio.create_task(others_done.wait()) for _ in ended)

    async with a_run(looking(each=hold), tmp_path, items(3, failing=frozenset({2})), watch=watch) as run:
        work = asyncio.create_task(run_phases(run))
        await held.wait()
        await others_done.wait()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        recorded = await run.log.journal.steps(run.spec.run_id)

    assert [step.handoff.task_id for step in recorded] == ["look/i0", "look/i1"]
