"""X12: items that are found on the way are planned at the sync point, within what is allowed, and on record first."""

from pathlib import Path
from typing import Any, cast

import pytest

from echelon import Budget, Handoffs, Job, Resilience, agent
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import phases_needed, run_phases
from echelon.coordination.result import status_after
from echelon.coordination.rolling.finding import MAX_ITEMS
from echelon.model.handoff import Missing
from echelon.model.run import RunStatus, RunView, StepKind
from echelon.model.status import Status
from echelon.runlog.events import PhaseStarted, PlanExtended, StepStarted
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.jobs import Watched, missing_in, on_record, output_of
from tests.unit.coordination.rolling.growing import Module, growing, merge, names

pytestmark = pytest.mark.anyio


async def done(run: RunContext) -> RunStatus:
    """Carry a run out, and say how it ended."""
    return status_after(await run_phases(run), phases_needed(run.spec))


@pytest.mark.parametrize("number", [1, 3, 30])
async def test_each_item_that_was_found_has_an_agent(tmp_path: Path, number: int) -> None:
    async with a_run(growing(), tmp_path, names(number)) as run:
        status = await done(run)
        view = view_so_far(run)

    assert status is RunStatus.COMPLETED
    assert view.output == number
    assert (view.launched, view.returned) == (len(view.steps), len(view.steps))
    assert [phase.planned for phase in view.phases] == [1, number, 1]
    assert view.record.plan is not None
    assert view.record.plan.open == ()


async def test_the_plan_is_on_record_before_anything_of_it_begins(tmp_path: Path) -> None:
    seen = Watched()
    async with a_run(growing(), tmp_path, names(3), watch=seen) as run:
        await run_phases(run)

    kinds = [event for event in seen.events if isinstance(event, PlanExtended | PhaseStarted | StepStarted)]
    told = [(type(event).__name__, event.phase) for event in kinds]
    grown = told.index(("PlanExtended", "inspect"))
    assert told[grown - 1] == ("StepStarted", "inspect")  # what finds the items is a step of the run
    assert told[grown + 1 : grown + 3] == [("PhaseStarted", "inspect"), ("StepStarted", "inspect")]


async def test_three_are_flat_and_300_are_federated_with_a_place_for_each(tmp_path: Path) -> None:
    shapes: dict[int, RunView] = {}
    for number in (3, 300):
        async with a_run(growing(), tmp_path / str(number), names(number)) as run:
            assert await done(run) is RunStatus.COMPLETED
            shapes[number] = view_so_far(run)

    assert [one.structure.value for one in shapes[3].extensions] == ["flat"]
    assert [one.structure.value for one in shapes[300].extensions] == ["federated"]
    assert (shapes[300].extensions[0].tasks, shapes[300].extensions[0].n_agents) == (300, 302)
    assert shapes[300].output == 300


async def test_a_plan_that_has_grown_says_what_was_found_and_what_should_be_changed(tmp_path: Path) -> None:
    async with a_run(growing(integrate=merge), tmp_path, names(20)) as run:
        await run_phases(run)
        (extension,) = view_so_far(run).extensions

    assert extension.reason == "phase 'inspect' found 20 items: the job is multi_tier, 22 agents, 3 levels now"
    assert (extension.phase, extension.tasks) == ("inspect", 20)
    assert ("X2", "inspect") in [(one.rule, one.where) for one in extension.findings]


async def test_a_phase_that_finds_nothing_is_left_out_and_reported(tmp_path: Path) -> None:
    async with a_run(growing(), tmp_path, names(0)) as run:
        status = await done(run)
        state = await on_record(run)
        assert output_of(run) == 0

    assert status is RunStatus.COMPLETED
    assert [report.message for report in state.exceptions] == ["phase 'inspect' had nothing to do: it found no items"]


def many(number: int) -> Any:
    def found(survey: Handoffs[list[str]]) -> list[Module]:
        return [Module(id=f"m{n}") for n in range(number)]

    return found


@pytest.mark.parametrize(
    ("number", "phase", "message"),
    [
        (MAX_ITEMS + 1, {}, "found 10,001 items, and more than 10,000 are not begun unless the phase says so"),
        (100_000, {}, "found 100,000 items, and more than 10,000 are not begun unless the phase says so"),
        (6, {"items": (0, 5)}, "found 6 items, and at most 5 are expected"),
    ],
)
async def test_more_items_than_are_allowed_are_not_begun_and_the_run_is_partial(
    tmp_path: Path, number: int, phase: dict[str, Any], message: str
) -> None:
    async with a_run(growing(many(number), **phase), tmp_path, names(1)) as run:
        status = await done(run)
        view = view_so_far(run)

    refused, waiting = view.missing
    assert status is RunStatus.PARTIAL
    assert message in refused.reason
    assert (refused.task_id, refused.over_limit) == ("inspect/over/found", True)
    assert waiting.task_id == "conclude/conclude"
    assert (view.launched, view.returned) == (3, 1)
    assert view.record.plan is not None
    assert [one.phase for one in view.record.plan.open] == ["inspect"]


async def test_fewer_items_than_are_expected_are_not_begun_either(tmp_path: Path) -> None:
    async with a_run(growing(items=(5, 9)), tmp_path, names(2)) as run:
        status = await done(run)
        missing = missing_in(run)

    assert status is RunStatus.FAILED
    assert [one.task_id for one in missing] == ["inspect/too-few-items", "conclude/conclude"]
    assert "found 2 items" in missing[0].reason


def fails(survey: Handoffs[list[str]]) -> list[Module]:
    raise RuntimeError("the list is torn")


def says(survey: Handoffs[list[str]]) -> list[Module]:
    return "m0, m1"  # pyright: ignore[reportReturnType]


def twice(survey: Handoffs[list[str]]) -> list[Module]:
    return [Module(id="m0"), Module(id="m0")]


def unwritable(survey: Handoffs[list[str]]) -> list[Any]:
    return [object()]


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        (fails, "RuntimeError: the list is torn"),
        (says, "valid list"),
        (twice, "phase 'inspect': two items have the key 'inspect/m0'"),
        (unwritable, "object"),
    ],
)
async def test_a_search_that_fails_or_finds_nonsense_costs_its_phase_and_those_behind_it(
    tmp_path: Path, over: Any, reason: str
) -> None:
    async with a_run(growing(over), tmp_path, names(2)) as run:
        status = await done(run)
        view = view_so_far(run)

    lost, blocked = view.missing
    assert status is RunStatus.FAILED
    assert (lost.task_id, blocked.task_id) == (f"inspect/over/{over.__name__}", "conclude/conclude")
    assert reason in lost.reason
    assert (view.launched, view.returned) == (3, 1)
    assert [group.kind for group in view.missing_by_cause if lost.task_id in group.tasks] == [StepKind.PLANNING]


@agent
async def broken(names: tuple[str, ...]) -> list[str]:
    """Fail."""
    raise RuntimeError("no access")


async def test_a_search_whose_need_was_not_delivered_is_not_begun_and_counted(tmp_path: Path) -> None:
    async with a_run(growing(first=broken), tmp_path, names(2)) as run:
        status = await done(run)
        view = view_so_far(run)
        steps = await run.log.journal.steps(run.spec.run_id, "inspect")

    assert status is RunStatus.FAILED
    assert [one.task_id for one in view.missing] == ["survey/broken", "inspect/over/modules", "conclude/conclude"]
    assert (view.launched, view.returned) == (3, 0)
    assert [(step.kind, step.handoff.status) for step in steps] == [(StepKind.PLANNING, Status.BLOCKED)]


@agent
async def aside() -> str:
    """Do something else."""
    return "aside"


async def test_those_that_do_not_need_it_go_on_when_a_search_fails(tmp_path: Path) -> None:
    job = growing(fails)
    job.phase("aside", agent=aside)
    async with a_run(job, tmp_path, names(2)) as run:
        status = await done(run)
        output = output_of(run)

    assert status is RunStatus.PARTIAL
    assert output["aside"] == "aside"


@pytest.mark.parametrize(
    ("budget", "each", "names_what"),
    [
        (Budget(calls=10), {}, "calls"),
        (Budget(tokens=500), {"tokens": 100}, "tokens"),
        (Budget(seconds=60), {"seconds": 90}, "seconds"),
    ],
)
async def test_what_is_more_than_the_budget_allows_is_not_begun_and_the_run_is_partial(
    tmp_path: Path, budget: Budget, each: dict[str, Any], names_what: str
) -> None:
    async with a_run(growing(job={"budget": budget}, **each), tmp_path, names(20)) as run:
        status = await done(run)
        view = view_so_far(run)

    assert status is RunStatus.PARTIAL
    assert view.missing[0].reason.startswith("phase 'inspect' found 20 items, which is more than the budget allows")
    assert names_what in view.missing[0].reason
    assert not [step for step in view.steps if step.phase == "inspect" and step.kind is StepKind.TASK]
    assert view.extensions == ()


async def test_two_phases_that_grow_at_the_same_time_are_both_in_the_plan(tmp_path: Path) -> None:
    job = Job("twice", goal="See", inputs=type(names(0)), defaults=Resilience(attempts=1))
    first = growing()
    job.phase("survey", agent=first.phases["survey"].agents[0])

    @agent
    async def look(module: Module) -> str:
        return module.id

    for name in ("left", "right"):
        job.phase(name, each=look, over=modules_of(name), needs="survey")
    async with a_run(job, tmp_path, names(12)) as run:
        status = await done(run)
        view = view_so_far(run)

    assert status is RunStatus.COMPLETED
    assert sorted(one.phase for one in view.extensions) == ["left", "right"]
    assert {phase.name: phase.completed for phase in view.phases} == {"survey": 1, "left": 12, "right": 12}
    both = cast("dict[str, dict[str, str]]", view.output)  # two phases at the end: what each of them handed on
    assert {name: len(outputs) for name, outputs in both.items()} == {"left": 12, "right": 12}
    assert sorted(both["left"]) == sorted(f"left/left-m{n}" for n in range(12))
    assert view.record.plan is not None
    assert view.record.plan.n_agents == 25


def modules_of(prefix: str) -> Any:
    def found(survey: Handoffs[list[str]]) -> list[Module]:
        return [Module(id=f"{prefix}-{name}") for names in survey.outputs() for name in names]

    return found


def lost(missing: tuple[Missing, ...]) -> list[str]:
    return [one.task_id for one in missing]


class Search:
    """Finds modules, and counts how often it was asked; what it finds may be changed."""

    def __init__(self) -> None:
        self.asked = 0
        self.broken: set[str] = set()
        self.extra: tuple[str, ...] = ()
        search = self

        @agent
        async def look_at(module: Module) -> str:
            if module.id in search.broken:
                raise RuntimeError("not today")
            return module.id

        @agent
        async def survey(names: tuple[str, ...]) -> list[str]:
            if "survey" in search.broken:
                raise RuntimeError("not today")
            return [*names, *search.extra]

        def over(survey: Handoffs[list[str]]) -> list[Module]:
            search.asked += 1
            return [Module(id=name) for names in survey.outputs() for name in names]

        self.over = over
        self.job = growing(over, first=survey, each=look_at)


async def test_a_run_that_is_resumed_does_not_ask_again_and_has_the_same_plan(tmp_path: Path) -> None:
    search = Search()
    search.broken = {"m1"}
    async with a_run(search.job, tmp_path, names(3)) as run:
        assert await done(run) is RunStatus.PARTIAL
        plan = view_so_far(run).record.plan
    search.broken = set()
    async with a_run(search.job, tmp_path, names(3)) as run:
        assert run.spec.plan == plan
        assert await done(run) is RunStatus.COMPLETED
        view = view_so_far(run)

    assert search.asked == 1
    assert view.record.plan == plan
    assert len(view.extensions) == 1
    assert (view.output, view.missing) == (3, ())


async def test_what_was_refused_is_refused_again_by_a_run_that_is_resumed(tmp_path: Path) -> None:
    job = growing(many(6), items=(0, 5))
    for _ in range(2):
        async with a_run(job, tmp_path, names(1)) as run:
            assert await done(run) is RunStatus.PARTIAL
            assert lost(missing_in(run)) == ["inspect/over/found", "conclude/conclude"]


async def test_a_run_with_a_larger_limit_goes_on_from_what_was_found(tmp_path: Path) -> None:
    async with a_run(growing(many(6), items=(0, 5)), tmp_path, names(1)) as run:
        assert await done(run) is RunStatus.PARTIAL
    async with a_run(growing(many(6), items=(0, 9)), tmp_path, names(1)) as run:
        assert await done(run) is RunStatus.COMPLETED
        view = view_so_far(run)

    assert (view.output, view.missing) == (6, ())


async def test_items_are_found_anew_when_what_they_were_found_in_has_changed(tmp_path: Path) -> None:
    """The first survey is missing what the second one hands on; both searches are on record."""
    search = Search()
    job = Job("anew", goal="See", inputs=type(names(0)), defaults=Resilience(attempts=1))
    surveyor = search.job.phases["survey"].agents[0]
    job.phase("survey", agents=[surveyor, second_of(search)])
    job.phase("inspect", each=search.job.phases["inspect"].agents[0], over=search.over, needs="survey")
    search.broken = {"second"}
    async with a_run(job, tmp_path, names(2)) as run:
        assert await done(run) is RunStatus.PARTIAL
    search.broken = set()
    async with a_run(job, tmp_path, names(2)) as run:
        assert await done(run) is RunStatus.COMPLETED
        view = view_so_far(run)

    assert search.asked == 2
    assert [one.tasks for one in view.extensions] == [2, 3]
    assert sorted(cast("dict[str, str]", view.output)) == ["inspect/late", "inspect/m0", "inspect/m1"]


def second_of(search: Search) -> Any:
    @agent
    async def second() -> list[str]:
        if "second" in search.broken:
            raise RuntimeError("not today")
        return ["late"]

    return second
