"""A second process with the same run goes on where the first one stopped, and repeats nothing that is done (F8)."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import create_model

from echelon import AgentFailed, Concern, Handoffs, Job, Outcome, Previous, Resilience, agent
from echelon.agents.agent import Effect
from echelon.agents.handoffs import Received
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.coordination.step.memo import StepMemo
from echelon.coordination.step.record import record_step
from echelon.journal.journal import SqlJournal
from echelon.model.errors import IllegalTransition
from echelon.model.exception_report import Trigger
from echelon.model.handoff import Handoff
from echelon.runlog.events import StepEnded, StepReused, StepStarted
from echelon.settings import Settings
from echelon.testing.oversight import approving
from echelon.testing.runs import a_run
from tests.unit.coordination.jobs import (
    ONCE,
    Item,
    Items,
    Watched,
    items,
    looking,
    missing_in,
    output_of,
    staged,
    total,
)

pytestmark = pytest.mark.anyio

CONCERN = Concern(about="i0", message="odd", confidence=0.2, impact=0.9)


class Lookout:
    """An agent that remembers what it was asked, and fails for what `broken` names."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.broken: set[str] = set()
        lookout = self

        @agent
        async def look(item: Item) -> Outcome[str]:
            lookout.asked.append(item.id)
            if item.id in lookout.broken:
                raise AgentFailed("not today")
            return Outcome(output=item.id, concerns=(CONCERN,) if item.id == "i0" else ())

        self.agent = look


async def test_a_second_process_does_again_only_what_did_not_complete(tmp_path: Path) -> None:
    lookout = Lookout()
    lookout.broken = {"i1"}
    job, given = looking(each=lookout.agent, integrate=total), items(3)
    async with a_run(job, tmp_path, given) as run:
        await run_phases(run)
        assert output_of(run)["missing"] == ["look/i1"]
    lookout.asked.clear()
    lookout.broken.clear()
    async with a_run(job, tmp_path, given) as run:
        await run_phases(run)

        assert output_of(run) == {"items": ["i0", "i1", "i2"], "missing": []}
    assert lookout.asked == ["i1"]
    assert missing_in(run) == ()


async def test_nothing_at_all_is_repeated_of_a_run_that_was_done(tmp_path: Path) -> None:
    lookout = Lookout()
    job, given = looking(each=lookout.agent, integrate=staged), items(20, 20)
    async with a_run(job, tmp_path, given) as run:
        first = await run_phases(run)
        steps = len(run.log.state.steps)
    lookout.asked.clear()
    seen = Watched()
    async with a_run(job, tmp_path, given, watch=seen) as run:
        second = await run_phases(run)

        assert len(await run.log.journal.steps(run.spec.run_id)) == len(run.log.state.steps) == steps
        assert len(await run.log.journal.concerns(run.spec.run_id)) == len(run.log.state.concerns) == 1
    assert (lookout.asked, second) == ([], first)
    assert {event.task_id for event in seen.of(StepReused)} == {step.handoff.task_id for step in run.log.state.steps}
    assert (seen.of(StepStarted), seen.of(StepEnded)) == ([], [])


@pytest.mark.parametrize("change", ["inputs", "run"])
async def test_what_was_done_for_something_else_is_not_taken_for_this(tmp_path: Path, change: str) -> None:
    lookout = Lookout()
    job = looking(each=lookout.agent)
    async with a_run(job, tmp_path, items(2)) as run:
        await run_phases(run)
    lookout.asked.clear()
    other = items(3) if change == "inputs" else items(2)
    async with a_run(job, tmp_path, other, run_id="run" if change == "inputs" else "another") as run:
        await run_phases(run)

    assert len(lookout.asked) == len(other.items)


async def test_a_consumer_works_again_when_what_it_used_has_changed(tmp_path: Path) -> None:
    lookout, concluded = Lookout(), []
    lookout.broken = {"i1"}

    @agent
    async def conclude(look: Handoffs[str]) -> int:
        concluded.append(len(look))
        return len(look)

    job = looking(each=lookout.agent)
    job.phase("conclude", agent=conclude, needs="look")
    for _ in range(2):
        async with a_run(job, tmp_path, items(2)) as run:
            await run_phases(run)
        lookout.broken.clear()

    assert concluded == [1, 2]


async def test_a_step_and_its_concerns_become_durable_together(tmp_path: Path) -> None:
    lookout = Lookout()
    async with a_run(looking(each=lookout.agent), tmp_path, items(1)) as run:
        await run_phases(run)
        async with SqlJournal.open(Settings(home=tmp_path)) as elsewhere:
            steps, concerns = await elsewhere.steps(run.spec.run_id), await elsewhere.concerns(run.spec.run_id)

    assert [step.handoff.concerns for step in steps] == [(CONCERN,)]
    assert [(record.source, record.concern) for record in concerns] == [("look/i0", CONCERN)]


async def test_a_step_that_is_completed_is_never_written_over(tmp_path: Path) -> None:
    async with a_run(looking(each=Lookout().agent), tmp_path, items(1)) as run:
        await run_phases(run)
        with pytest.raises(IllegalTransition):
            await record_step(run, run.log.state.steps[0])

        assert len(await run.log.journal.steps(run.spec.run_id)) == 1


async def _previous(run: RunContext) -> dict[str, Handoff]:
    return {step.handoff.task_id: step.handoff for step in run.log.state.steps if step.handoff.done}


async def test_an_agent_can_read_what_it_made_in_the_run_before(tmp_path: Path) -> None:
    @agent
    async def count(previous: Previous[int]) -> int:
        return (previous.load() or 0) + 1

    job = Job("counting", goal="Count", inputs=Items, defaults=ONCE)
    job.phase("count", agent=count)
    outputs, made = [], {}
    for run_id in ("one", "two"):
        async with a_run(job, tmp_path, Items(), run_id=run_id, previous=made) as run:
            await run_phases(run)
            outputs.append(output_of(run))
            made = await _previous(run)

    assert outputs == [1, 2]


async def test_an_output_of_before_that_is_not_in_todays_words_counts_as_none(tmp_path: Path) -> None:
    async with a_run(looking(), tmp_path, items(1)) as run:
        await run_phases(run)
        handoff = run.log.state.steps[0].handoff

        assert Previous[str](Received(handoff, run.outputs, str)).load() == "i0"
        assert Previous[int](Received(handoff, run.outputs, int)).load() is None
    assert Previous().load() is None


async def test_a_retried_agent_is_told_about_and_recorded_once(tmp_path: Path) -> None:
    asked: list[str] = []

    @agent
    async def flaky(item: Item) -> str:
        asked.append(item.id)
        if len(asked) == 1:
            raise AgentFailed("not now", passing=True)
        return item.id

    patient = Resilience(attempts=3, backoff_seconds=0)
    async with a_run(looking(each=flaky, defaults=patient), tmp_path, items(1)) as run:
        await run_phases(run)

    assert [(step.handoff.done, step.handoff.attempts) for step in run.log.state.steps] == [(True, 2)]
    assert [report.message for report in run.log.state.exceptions] == ["needed 2 attempts"]


# What changed in between (F8)


def _renewed(run: RunContext) -> list[str]:
    return [report.message for report in run.log.state.exceptions if report.trigger is Trigger.RENEWED]


def _version(factor: int, asked: list[str], effect: Effect = "read") -> Job:
    """Make a job whose code differs by a factor; its second phase uses what the first delivers."""
    names: dict[str, Any] = {"agent": agent, "asked": asked, "Item": Item, "effect": effect}
    body = f"async def look(item: Item) -> int:\n    asked.append(item.id)\n    return {factor}"
    exec(f"@agent(effect=effect)\n{body}", names)

    @agent
    async def conclude(look: Handoffs[int]) -> int:
        asked.append("conclude")
        return sum(look.outputs())

    job = looking(each=names["look"])
    job.phase("conclude", agent=conclude, needs="look")
    return job


async def test_code_that_has_changed_is_run_again_with_whatever_used_it_and_says_why(tmp_path: Path) -> None:
    asked: list[str] = []
    async with a_run(_version(1, asked), tmp_path, items(2)) as run:
        await run_phases(run)
    for again in (["i0", "i1", "conclude"], []):  # once: then it is done with the new code
        asked.clear()
        async with a_run(_version(2, asked), tmp_path, items(2)) as run:
            await run_phases(run)
            assert output_of(run) == 4
            told = _renewed(run)
        assert asked == again

    assert [message.split(" (")[0] for message in told] == [
        "look/i0 was done before and is done again: look has changed in its own code",
        "look/i1 was done before and is done again: look has changed in its own code",
        "conclude/conclude was done before and is done again: what it is given has changed",
    ]


def _helped(factor: int, asked: list[str]) -> Job:
    """Make a job whose first agent leaves the work to a helper that differs by a factor."""
    names: dict[str, Any] = {"agent": agent, "asked": asked, "Item": Item, "__name__": "project.work"}
    helper = f"def seen(item):\n    return {factor}\n"
    exec(f"{helper}@agent\nasync def look(item: Item) -> int:\n    asked.append(item.id)\n    return seen(item)", names)
    job = looking(each=names["look"])
    job.phase("beside", agent=lonely)
    return job


@agent
async def lonely() -> str:
    """Need nothing."""
    return "done"


async def test_a_helper_that_has_changed_renews_exactly_the_steps_that_call_it(tmp_path: Path) -> None:
    asked: list[str] = []
    told: list[str] = []
    for factor in (1, 2):
        async with a_run(_helped(factor, asked), tmp_path, items(1)) as run:
            await run_phases(run)
            told = _renewed(run)

    assert asked == ["i0", "i0"]
    assert [message.split(" (")[0] for message in told] == [
        "look/i0 was done before and is done again: look has changed in what it calls"
    ]


async def test_a_plan_that_has_changed_does_only_what_is_new_in_it(tmp_path: Path) -> None:
    lookout = Lookout()
    async with a_run(looking(each=lookout.agent), tmp_path, items(2)) as run:
        await run_phases(run)
    lookout.asked.clear()
    more = looking(each=lookout.agent)
    more.phase("beside", agent=lonely)
    async with a_run(more, tmp_path, items(2)) as run:
        await run_phases(run)

        assert [step.handoff.task_id for step in run.log.state.steps] == ["look/i0", "look/i1", "beside/lonely"]
    assert lookout.asked == []


async def test_a_contract_whose_schema_alone_has_changed_is_made_anew(tmp_path: Path) -> None:
    asked: list[str] = []
    told: list[str] = []
    for fields in ({"seen": (str, ...)}, {"seen": (str, ...), "sure": (bool, True)}):
        sighting: Any = create_model("Sighting", **cast("Any", fields))

        async def look(item: Item) -> Any:
            asked.append(item.id)
            return {"seen": item.id}

        look.__annotations__["return"] = sighting
        async with a_run(looking(each=agent(look)), tmp_path, items(1)) as run:
            await run_phases(run)
            told = _renewed(run)

    assert asked == ["i0", "i0"]
    assert ["its contract has changed (Sighting" in message for message in told] == [True]


@pytest.mark.parametrize("effect", ["write", "irreversible"])
async def test_what_changed_the_world_is_not_done_again_because_its_code_has_changed(
    tmp_path: Path, effect: Effect
) -> None:
    asked: list[str] = []
    for factor in (1, 2):
        async with a_run(_version(factor, asked, effect), tmp_path, items(1), ask=approving()) as run:
            await run_phases(run)
            assert output_of(run) == 1

    assert asked == ["i0", "conclude"]


async def test_a_step_of_before_versions_were_recorded_still_counts(tmp_path: Path) -> None:
    asked: list[str] = []
    async with a_run(_version(1, asked), tmp_path, items(1)) as run:
        await run_phases(run)
        older = [step.model_copy(update={"code": ""}) for step in run.log.state.steps]
    async with a_run(_version(2, asked), tmp_path, items(1)) as run:
        await run_phases(replace(run, memo=StepMemo({step.key: step for step in older})))

    assert asked == ["i0", "conclude"]


async def test_a_contract_that_has_changed_is_told_with_both_names(tmp_path: Path) -> None:
    @agent
    async def look(item: Item) -> str:
        return item.id

    async with a_run(looking(each=look), tmp_path, items(1)) as run:
        await run_phases(run)

    @agent(name="look")
    async def measured(item: Item) -> int:
        return len(item.id)

    async with a_run(looking(each=measured), tmp_path, items(1)) as run:
        await run_phases(run)

        (message,) = _renewed(run)
    assert "look/i0 was done before and is done again: its contract has changed (str" in message
