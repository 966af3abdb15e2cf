"""O2, O11, X13: a concern reaches its lead and a person at once, whatever coordinators do; who uses a thing is told."""

from pathlib import Path

import pytest

from echelon import Brief, Concern, Handoffs, Job, Outcome, agent, integrator
from echelon.coordination.briefs import MAX_CONCERNS
from echelon.coordination.job_run import run_phases
from echelon.coordination.voice.recording import FOLDER
from echelon.model.concern import PERSON, ConcernRecord, Route
from echelon.model.run import StepKind
from echelon.oversight.attention import LINES_A_LEVEL, levels_of
from echelon.runlog.events import ConcernDisposed, ConcernRaised, StepEnded
from echelon.runlog.state import RunState
from echelon.testing.run_events import disposition
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.jobs import ONCE, Item, Items, Watched, items, of_domain

pytestmark = pytest.mark.anyio


@agent
async def look(item: Item, brief: Brief) -> str:
    """Look at an item, and say what is odd."""
    brief.raise_concern(f"{item.id} is claimed twice", about=f"{item.id}.lock", confidence=0.3, impact=0.9)
    return item.id


@integrator
async def swallow(seen: Handoffs[str]) -> str:
    """Say that all is well, whatever was seen."""
    return f"{len(seen.handoffs)} of {len(seen.handoffs)} fine"


@integrator
async def rewrite(seen: Handoffs[str]) -> str:
    """Hand on something else than what was seen."""
    return "nothing was seen, nobody said anything"


def looking(integrate=None) -> Job:
    job = Job("look", goal="Look at all of them", inputs=Items, defaults=ONCE)
    job.phase("look", each=look, over=lambda items: items, domain=of_domain, integrate=integrate)
    return job


async def raised_in(job: Job, home: Path, given: Items | None = None, watch: Watched | None = None) -> RunState:
    async with a_run(job, home, given, watch=watch) as run:
        await run_phases(run)
        return await run.log.refresh()


@pytest.mark.parametrize("lead", [swallow, rewrite])
async def test_no_lead_can_keep_a_concern_or_an_output_back(lead, tmp_path: Path) -> None:
    async with a_run(looking(lead), tmp_path, items(3)) as run:
        await run_phases(run)
        state, view = await run.log.refresh(), view_so_far(run)
        outputs = {
            name.task_id: run.outputs.read_json(step.handoff.output_location)
            for name, step in state.latest.items()
            if name.kind is StepKind.TASK
        }

    assert outputs == {f"look/i{number}": f"i{number}" for number in range(3)}, "as their agents delivered them"
    assert {one.concern.message for one in view.concerns} == {f"i{number} is claimed twice" for number in range(3)}
    assert all(one.is_open for one in view.concerns)
    shown = [line for level in levels_of(view.concerns) for line in level.lines]
    assert len(shown) == 3, "and a person is shown each of them"


async def test_the_lead_and_the_person_are_reached_by_one_event_before_the_lead_begins(tmp_path: Path) -> None:
    watched = Watched()
    await raised_in(looking(swallow), tmp_path, items(2), watched)

    raised = watched.of(ConcernRaised)
    assert [(one.record.lead, one.record.line) for one in raised] == [("primary", PERSON)] * 2
    kinds = [type(entry) for entry in watched.events if isinstance(entry, ConcernRaised | StepEnded)]
    assert kinds[:4].count(ConcernRaised) == 2, "what coordinates them is the last to end"


async def test_who_integrates_is_told_of_the_open_concerns_about_what_it_uses(tmp_path: Path) -> None:
    told: list[Brief] = []

    @integrator
    async def merge(seen: Handoffs[str], brief: Brief) -> str:
        """Put together what was seen."""
        told.append(brief)
        return ", ".join(seen.outputs())

    await raised_in(looking(merge), tmp_path, items(2))

    (brief,) = told
    assert brief.concerns == (
        "human review, raised by look/i0: i0.lock: i0 is claimed twice",
        "human review, raised by look/i1: i1.lock: i1 is claimed twice",
    )


async def test_a_brief_has_a_few_lines_the_most_urgent_first_and_counts_the_rest(tmp_path: Path) -> None:
    told: list[Brief] = []

    @agent
    async def shout(brief: Brief) -> str:
        """Say a lot."""
        for number in range(20):
            brief.raise_concern(f"odd {number}", impact="low", confidence="low")
        brief.raise_concern("all of it is wrong", confidence="high", impact="high")
        return "shouted"

    @agent
    async def use(heard: Handoffs[str], brief: Brief) -> str:
        """Use it."""
        told.append(brief)
        return "used"

    job = Job("shout", goal="Shout", defaults=ONCE)
    job.phase("shout", agent=shout)
    job.phase("use", agent=use, needs="shout")
    await raised_in(job, tmp_path)

    (brief,) = told
    assert len(brief.concerns) == MAX_CONCERNS + 1
    assert brief.concerns[0].startswith("immediate, raised by shout/shout: ")
    assert brief.concerns[-1] == "and 16 more"


async def test_a_concern_changes_no_step_and_one_that_was_ended_is_not_told(tmp_path: Path) -> None:
    told: dict[bool, Brief] = {}

    def made(*, odd: bool) -> Job:
        @agent
        async def look(brief: Brief) -> str:
            """Look."""
            if odd:
                brief.raise_concern("it is odd")
            return "looked"

        @agent
        async def use(seen: Handoffs[str], brief: Brief) -> str:
            """Use it."""
            told[odd] = brief
            return "used"

        job = Job("look", goal="Look", defaults=ONCE)
        job.phase("look", agent=look)
        job.phase("use", agent=use, needs="look")
        return job

    keys = []
    for odd in (False, True):
        state = await raised_in(made(odd=odd), tmp_path / str(odd))
        keys.append([step.key for step in state.steps])

    assert keys[0] == keys[1], "what is told is no part of what a step is"
    assert (len(told[False].concerns), len(told[True].concerns)) == (0, 1)


async def test_what_cannot_be_undone_behind_it_raises_a_route_which_is_on_record(tmp_path: Path) -> None:
    @agent
    async def look() -> Outcome[str]:
        """Look."""
        return Outcome(output="seen", concerns=(Concern(about="a", message="odd", confidence=0.9, impact=0.4),))

    @agent(effect="irreversible")
    async def publish(seen: Handoffs[str]) -> str:
        """Publish it."""
        return "published"

    def job(*, final: bool) -> Job:
        made = Job("publish", goal="Publish", defaults=ONCE)
        made.phase("look", agent=look)
        if final:
            made.phase("publish", agent=publish, needs="look")
        return made

    routes: list[ConcernRecord] = []
    for final in (False, True):
        async with a_run(job(final=final), tmp_path / str(final)) as run:
            first = run.spec.plan.phases[0].name
            assert first == "look"
            await run_phases(run)
            routes += (await run.log.refresh()).concerns.values()

    assert [one.concern.route for one in routes] == [Route.NORMAL, Route.NORMAL]
    assert [one.route for one in routes] == [Route.NORMAL, Route.IMMEDIATE]
    assert routes[1].route_reasons == ("work that cannot be undone is behind it, and 1 step",)
    assert routes[1].task_id == "look/look"


async def test_what_was_dismissed_in_an_earlier_run_says_so_when_it_is_raised_again(tmp_path: Path) -> None:
    async with a_run(looking(), tmp_path, items(1), run_id="first") as run:
        await run_phases(run)
        (record,) = (await run.log.refresh()).concerns.values()
        end = disposition("mia", "dismissed")
        await run.log.append(ConcernDisposed(run_id="first", at=end.at, concern_id=record.id, disposition=end))
    async with a_run(looking(), tmp_path, items(1), run_id="second") as run:
        await run_phases(run)
        (again,) = (await run.log.refresh()).concerns.values()

    assert (record.dismissed_before, again.dismissed_before) == (0, 1)


async def test_noise_hides_nothing_that_is_critical(tmp_path: Path) -> None:
    """500 concerns a minute of a hostile agent, and one that matters behind them."""

    @agent
    def shout(brief: Brief) -> str:
        """Shout."""
        for number in range(500):
            brief.raise_concern(f"odd {number}", confidence="low", impact="low")
        brief.raise_concern("the backup is empty", confidence="high", impact="high")
        return "done"

    job = Job("shout", goal="Shout", defaults=ONCE)
    job.phase("shout", agent=shout)
    state = await raised_in(job, tmp_path)

    levels = levels_of(state.concerns.values())
    (kept,) = (tmp_path / "runs" / "run" / FOLDER).iterdir()
    assert [len(list(level.lines)) for level in levels] == [1, LINES_A_LEVEL]
    assert "the backup is empty" in next(levels[0].lines)
    assert len(kept.read_text().splitlines()) == 502, "all of it is kept"
