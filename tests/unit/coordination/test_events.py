"""Whatever happens to a step is an event of its run: starts, attempts that fail, waits, reads (a run is a log)."""

import asyncio
from pathlib import Path

import pytest

from echelon import AgentFailed, Concern, Handoffs, Outcome, Resilience, agent
from echelon.agents.fallback import Fallback
from echelon.coordination.job_run import run_phases
from echelon.model.run import StepKind
from echelon.runlog.events import AttemptFailed, ConcernRaised, Logged, OutputRead, StepEnded, StepStarted, Waited
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.jobs import Item, Watched, items, looking, on_record, total

pytestmark = pytest.mark.anyio


async def test_a_step_begins_once_and_each_of_its_attempts_that_fails_is_told(tmp_path: Path) -> None:
    seen, asked = Watched(), list[str]()

    @agent
    async def flaky(item: Item) -> str:
        asked.append(item.id)
        if len(asked) < 3:
            raise AgentFailed(f"not the {len(asked)}. time", passing=True)
        return item.id

    patient = Resilience(attempts=3, backoff_seconds=0)
    async with a_run(looking(each=flaky, defaults=patient), tmp_path, items(1), watch=seen) as run:
        await run_phases(run)
        (step,) = run.log.state.steps

    assert [type(event) for event in seen.events if event.subject == "look/i0"] == [
        StepStarted,
        Logged,  # the whole error
        AttemptFailed,
        Logged,
        AttemptFailed,
        StepEnded,
    ]
    failed = seen.of(AttemptFailed)
    assert [(one.attempt, one.error.message, one.key) for one in failed] == [
        (1, "not the 1. time", step.key),
        (2, "not the 2. time", step.key),
    ]
    assert all(one.seconds >= 0 for one in failed)
    assert run.log.state.failed_attempts == tuple(failed)


async def test_the_last_attempt_of_a_step_that_fails_is_told_too(tmp_path: Path) -> None:
    seen = Watched()
    async with a_run(looking(), tmp_path, items(1, failing=frozenset({0})), watch=seen) as run:
        await run_phases(run)

    assert [one.attempt for one in seen.of(AttemptFailed)] == [1]


async def test_a_wait_for_a_slot_is_told_with_what_was_waited_for_and_shown_in_sum(tmp_path: Path) -> None:
    seen = Watched()

    @agent
    async def slow(item: Item) -> str:
        await asyncio.sleep(0.02)
        return item.id

    async with a_run(looking(each=slow), tmp_path, items(3), watch=seen, max_concurrency=1) as run:
        await run_phases(run)
        (shown,) = view_so_far(run).waits

    waits = seen.of(Waited)
    assert [(one.limiter, one.queue_length) for one in waits] == [("agents", 0), ("agents", 1)]
    assert 0.01 < waits[0].seconds < waits[1].seconds
    assert (shown.limiter, shown.steps, shown.longest_queue) == ("agents", 2, 1)
    assert shown.seconds == pytest.approx(waits[0].seconds + waits[1].seconds)
    # It had not begun while it waited.
    begun = {one.task_id: one.at for one in seen.of(StepStarted)}
    assert all(begun[one.task_id] >= one.at for one in waits)


@pytest.mark.parametrize("thread", [False, True], ids=["async", "in a thread"])
async def test_what_a_step_reads_is_told_once_and_what_it_does_not_read_is_not(tmp_path: Path, thread: bool) -> None:
    seen = Watched()

    def read(look: Handoffs[str]) -> str:
        return "".join(look[0].load() for _ in range(3))

    async def read_async(look: Handoffs[str]) -> str:
        return read(look)

    job = looking()
    job.phase("read", agent=agent(read if thread else read_async, name="read"), needs="look")
    async with a_run(job, tmp_path, items(2), watch=seen) as run:
        await run_phases(run)
        first, _, reader = run.log.state.steps

    assert first.handoff.output_location is not None
    assert [(one.task_id, one.key, one.read.task_id, one.read.version) for one in seen.of(OutputRead)] == [
        ("read/read", reader.key, "look/i0", first.handoff.output_location.sha256)
    ]


async def test_an_integration_is_a_step_like_any_other(tmp_path: Path) -> None:
    seen = Watched()
    async with a_run(looking(integrate=total), tmp_path, items(2), watch=seen) as run:
        await run_phases(run)

    (begun,) = [one for one in seen.of(StepStarted) if one.step is StepKind.INTEGRATION]
    assert (begun.task_id, begun.node) == ("look/merge/primary", "primary")
    assert {one.read.task_id for one in seen.of(OutputRead) if one.key == begun.key} == {"look/i0", "look/i1"}


async def test_a_step_that_another_agent_does_in_its_place_is_seen_to_begin_too(tmp_path: Path) -> None:
    seen = Watched()

    @agent
    async def other(item: Item) -> str:
        assert [name.task_id for name in run.log.state.at_work] == ["look/i0"]
        return "other"

    job = looking(fallback=Fallback.agent(other))
    async with a_run(job, tmp_path, items(1, failing=frozenset({0})), watch=seen) as run:
        await run_phases(run)

    first, second = seen.of(StepStarted)
    assert (first.task_id, first.node) == (second.task_id, second.node) == ("look/i0", "look/i0")
    assert first.key != second.key
    assert [one.record.key for one in seen.of(StepEnded)] == [first.key, second.key]
    assert run.log.state.at_work == {}


async def test_a_concern_carries_the_key_of_its_step(tmp_path: Path) -> None:
    seen = Watched()
    concern = Concern(about="i0", message="odd", confidence=0.2, impact=0.9)

    @agent
    async def look(item: Item) -> Outcome[str]:
        return Outcome(output=item.id, concerns=(concern,))

    async with a_run(looking(each=look), tmp_path, items(1), watch=seen) as run:
        await run_phases(run)
        state = await on_record(run)

    (raised,) = seen.of(ConcernRaised)
    assert (raised.record.step, raised.record.source, raised.record.concern) == (
        state.steps[0].key,
        "look/i0",
        concern,
    )
    assert tuple(state.concerns.values()) == (raised.record,)
