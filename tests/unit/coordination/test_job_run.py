"""Phases one behind the other: sync points, what consumers learn, and what happens to those who wait in vain."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from echelon import AgentFailed, Brief, Handoffs, Job, Outcome, agent
from echelon.coordination.briefs import MAX_LISTED, listed
from echelon.coordination.context import RunContext
from echelon.coordination.envelope import MAX_SUMMARY
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.model.assignment import Assignment
from echelon.model.exception_report import Trigger
from echelon.model.handoff import Handoff, OutputReference
from echelon.model.run import RunStatus
from echelon.model.status import Status
from echelon.testing.runs import a_run
from echelon.visibility.progress import Happening, Progress, ProgressEvent
from tests.unit.coordination.jobs import Item, Items, items, look, looking, missing_in, output_of

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

        assert output_of(run, delivered) == ["i0", "i2", "without look/i1"]
    assert status_after(delivered) is RunStatus.PARTIAL


async def test_a_phase_that_delivers_nothing_blocks_its_consumers_on_record(tmp_path: Path) -> None:
    seen = Progress()
    async with a_run(concluding(), tmp_path, items(2, failing=frozenset({0, 1})), observe=seen.apply) as run:
        delivered = await run_phases(run)
        step = (await run.log.journal.steps(run.spec.run_id, "conclude"))[0]
        exceptions = await run.log.journal.exceptions(run.spec.run_id)

    assert (step.handoff.status, step.handoff.attempts) == (Status.BLOCKED, 0)
    assert step.handoff.error is not None
    assert step.handoff.error.message == "phase 'look' delivered nothing"
    triggers = [Trigger.FAILED, Trigger.FAILED, Trigger.BLOCKED, Trigger.INCIDENT]
    assert [report.trigger for report in exceptions] == triggers
    assert "1 tasks are not started" in exceptions[-2].message
    assert status_after(delivered) is RunStatus.FAILED
    assert [one.task_id for one in missing_in(run)] == ["look/i0", "look/i1", "conclude/conclude"]
    assert seen.phases["conclude"].failed == 1


async def test_a_phase_whose_needed_phase_had_nothing_to_do_runs(tmp_path: Path) -> None:
    async with a_run(concluding(), tmp_path, Items()) as run:
        delivered = await run_phases(run)

        assert (output_of(run, delivered), status_after(delivered)) == ([], RunStatus.COMPLETED)


async def test_a_job_without_any_task_is_done(tmp_path: Path) -> None:
    async with a_run(looking(), tmp_path, Items()) as run:
        delivered = await run_phases(run)

    assert (delivered, output_of(run, delivered), status_after(delivered)) == ({}, None, RunStatus.COMPLETED)


class Forgetful(InlineScheduler):
    """Pretends that one agent was done, without a trace in the journal."""

    async def agent(self, phase: str, task_id: str, body: Callable[[], Awaitable[Handoff]]) -> Handoff:
        if task_id != "look/i1":
            return await body()
        made_up = OutputReference(location="run/aa-bb.json", sha256="bb", size_bytes=1, contract="str@1")
        return Handoff(
            task_id=task_id,
            status=Status.COMPLETED,
            summary="",
            producer=task_id,
            assignment_id="",
            output_location=made_up,
        )


async def test_the_sync_point_believes_the_journal_alone(tmp_path: Path) -> None:
    async with a_run(looking(), tmp_path, items(3)) as run:
        delivered = await run_phases(run, Forgetful())

    assert [handoff.task_id for handoff in delivered["look"].handoffs] == ["look/i0", "look/i2"]
    assert [(one.task_id, one.reason) for one in missing_in(run)] == [("look/i1", "no handoff was recorded")]


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
    lines = listed((f"t{n}", "x" * 9999) for n in range(1000))

    assert len(lines) == MAX_LISTED + 1
    assert lines[-1] == "and 980 more"
    assert max(map(len, lines)) == MAX_SUMMARY


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
    events: list[ProgressEvent] = []
    given = items(2, 2, failing=frozenset({3}))
    async with a_run(concluding(), tmp_path, given, observe=events.append) as run:
        await run_phases(run)

    assert [event.phase for event in events if event.happening is Happening.PHASE_STARTED] == ["look", "conclude"]
    for kind in (Happening.TASK_STARTED, Happening.TASK_ENDED):
        nodes = sorted(event.node for event in events if event.happening is kind)
        assert nodes == ["conclude/conclude", *(f"look/i{n}" for n in range(4))]


async def test_a_run_that_is_cancelled_keeps_what_was_completed_on_record(tmp_path: Path) -> None:
    held, others_done = asyncio.Event(), asyncio.Barrier(3)

    @agent
    async def hold(item: Item) -> str:
        if item.fails:
            held.set()
            await asyncio.Event().wait()
        return item.id

    waiting: list[asyncio.Task[int]] = []

    def observe(event: ProgressEvent) -> None:
        if event.happening is Happening.TASK_ENDED:
            waiting.append(asyncio.create_task(others_done.wait()))

    async with a_run(looking(each=hold), tmp_path, items(3, failing=frozenset({2})), observe=observe) as run:
        work = asyncio.create_task(run_phases(run))
        await held.wait()
        await others_done.wait()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        on_record = await run.log.journal.steps(run.spec.run_id)

    assert [step.handoff.task_id for step in on_record] == ["look/i0", "look/i1"]
