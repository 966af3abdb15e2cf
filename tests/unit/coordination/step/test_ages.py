"""C9: what an earlier run delivered is used up to the age that is allowed, and is said to be old where it is used."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest

from echelon import AgentFailed, Fallback, Handoffs, Job, MaxAge, Need, Previous, Resilience, agent
from echelon.agents.processes.wire import pack, unpack
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.coordination.step.previous_output import PreviousOutput
from echelon.definition.terms import terms_of
from echelon.model.errors import InvalidJob
from echelon.model.phrasing import age, too_old
from echelon.model.run import RunStatus
from echelon.runlog.events import RunEnded
from echelon.testing.runs import a_run, view_so_far

pytestmark = pytest.mark.anyio

BEGINNING = datetime(2026, 5, 1, tzinfo=UTC)


def after(**passed: float) -> Callable[[], datetime]:
    """A clock that stands still so long after the first run."""
    return lambda: BEGINNING + timedelta(**passed)


class Weather:
    """An agent that delivers on good days."""

    good = True


def job_of(weather: Weather, **phase: Any) -> Job:
    @agent
    async def look() -> str:
        if not weather.good:
            raise AgentFailed("not today")
        return "seen"

    job = Job("looking", goal="See", defaults=Resilience(attempts=1))
    job.phase("look", agent=look, **phase)
    return job


async def ended(run: RunContext, status: RunStatus) -> None:
    await run.log.append(RunEnded(run_id=run.spec.run_id, at=run.now(), status=status, finished=run.now()))


async def first_run(job: Job, home: Path) -> None:
    async with a_run(job, home, run_id="first", now=after()) as run:
        await run_phases(run)
        await ended(run, RunStatus.COMPLETED)


async def test_a_last_good_output_that_is_young_enough_stands_in_and_its_age_is_said(tmp_path: Path) -> None:
    weather = Weather()
    job = job_of(weather, fallback=Fallback.last_good(max_age=timedelta(days=7)))
    await first_run(job, tmp_path)
    weather.good = False

    async with a_run(job, tmp_path, run_id="second", now=after(hours=12)) as run:
        (handoff,) = (await run_phases(run))["look"].handoffs
        (missing,) = view_so_far(run).missing

    assert "the last good output, of run first, 12 h old stands in" in handoff.caveat
    assert missing.instead == "the last good output, of run first, 12 h old"


async def test_one_that_is_too_old_is_not_there_and_the_reason_says_so(tmp_path: Path) -> None:
    weather = Weather()
    job = job_of(weather, fallback=Fallback.last_good(max_age=timedelta(days=7)))
    await first_run(job, tmp_path)
    weather.good = False

    async with a_run(job, tmp_path, run_id="second", now=after(days=9)) as run:
        delivered = (await run_phases(run))["look"]
        view = view_so_far(run)

    assert not delivered.handoffs
    (missing,) = view.missing
    assert missing.reason == "not today; the last good output is 9 days old, older than the 7 days allowed"
    assert sum(step.handoff.attempts for step in run.log.state.steps) == 1


async def test_behind_one_that_is_too_old_the_next_fallback_is_tried_and_told_why(tmp_path: Path) -> None:
    weather = Weather()
    job = job_of(weather, fallback=[Fallback.last_good(max_age=MaxAge(days=7)), Fallback.default("nothing")])
    await first_run(job, tmp_path)
    weather.good = False

    async with a_run(job, tmp_path, run_id="second", now=after(days=9)) as run:
        (handoff,) = (await run_phases(run))["look"].handoffs

    assert handoff.fallback is not None
    assert handoff.fallback.kind == "default"
    assert "9 days old, older than the 7 days allowed" in handoff.fallback.reason


async def test_an_age_counts_from_when_the_work_was_done_and_not_from_when_it_stood_in(tmp_path: Path) -> None:
    """It stands in on the fifth day; on the ninth it is nine days old, and not four."""
    weather = Weather()
    job = job_of(weather, fallback=Fallback.last_good(max_age=timedelta(days=7)))
    await first_run(job, tmp_path)
    weather.good = False
    async with a_run(job, tmp_path, run_id="second", now=after(days=5)) as run:
        await run_phases(run)
        await ended(run, RunStatus.PARTIAL)
        (stood_in,) = [PreviousOutput.of(step) for step in run.log.state.steps if step.handoff.done]

    assert stood_in.made_at == BEGINNING
    async with a_run(job, tmp_path, run_id="third", now=after(days=9)) as run:
        assert not (await run_phases(run))["look"].handoffs


@pytest.mark.parametrize(("days", "read"), [(1, ["seen"]), (9, [])])
async def test_a_need_may_say_it_too(tmp_path: Path, days: int, read: list[str]) -> None:
    """What is too old is missing for who needs it, with the reason."""
    weather, told = Weather(), list[str]()

    @agent
    async def count(look: Handoffs[str]) -> list[str]:
        told.extend(one.reason for one in look.missing)
        return look.outputs()

    job = job_of(weather)
    job.phase("count", agent=count, needs=Need("look", "loose", fallback=Fallback.last_good(max_age=MaxAge(days=7))))
    await first_run(job, tmp_path)
    weather.good, told[:] = False, []

    async with a_run(job, tmp_path, run_id="second", now=after(days=days)) as run:
        await run_phases(run)
        output = view_so_far(run).output

    assert output == read
    assert ["older than the 7 days allowed" in one for one in told] == ([] if read else [True])


async def test_a_parameter_says_how_old_a_previous_output_may_be(tmp_path: Path) -> None:
    """The same output: one agent takes it as old as it is, the other one up to seven days."""

    @agent
    async def look(old: Previous[list[str]], young: Annotated[Previous[list[str]], MaxAge(days=7)]) -> list[str]:
        return [f"{one.load()}, {one.age}, {one.reason}" for one in (old, young)]

    job = Job("remembering", goal="See", defaults=Resilience(attempts=1))
    job.phase("look", agent=look)
    async with a_run(job, tmp_path, run_id="first", now=after()) as run:
        await run_phases(run)
        (step,) = run.log.state.steps
        first = view_so_far(run).output
    previous = {"look/look": PreviousOutput.of(step)}

    async def told(days: int) -> Any:
        async with a_run(job, tmp_path, run_id=f"after-{days}", previous=previous, now=after(days=days)) as run:
            await run_phases(run)
            return view_so_far(run).output

    assert first == ["None, None, "] * 2
    assert await told(3) == [f"{first}, 3 days, 0:00:00, "] * 2
    assert await told(9) == [
        f"{first}, 9 days, 0:00:00, ",
        "None, None, the previous output is 9 days old, older than the 7 days allowed",
    ]


def test_in_another_process_a_previous_output_is_as_old_as_here() -> None:
    """Also that there is none, and why."""
    none = Previous[int](reason="the previous output is 9 days old")
    made = unpack(json.loads(json.dumps(pack(none))), Previous[int])

    assert isinstance(made, Previous)
    assert (made.received, made.age, made.reason) == (None, None, none.reason)


@pytest.mark.parametrize("stated", [timedelta(), timedelta(days=-1)])
def test_an_age_that_nothing_can_have_is_refused(stated: timedelta) -> None:
    with pytest.raises(InvalidJob, match="state more than 0"):
        Fallback.last_good(max_age=stated)

    def look(previous: Previous[int]) -> int:
        """Look."""
        return 1

    look.__annotations__["previous"] = Annotated[Previous[int], stated]
    with pytest.raises(InvalidJob, match="agent 'look', parameter 'previous': a largest age"):
        Job("looking", goal="See").phase("look", agent=agent(look))


def test_the_terms_of_a_consumer_say_how_old_what_stands_in_may_be() -> None:
    (terms,) = terms_of(job_of(Weather(), fallback=Fallback.last_good(max_age=MaxAge(days=7))))

    assert terms.stands_in == ("last good (up to 7 days old)",)


@pytest.mark.parametrize(
    ("old", "said"),
    [
        (timedelta(seconds=59), "59 s"),
        (timedelta(minutes=1), "1 min"),
        (timedelta(minutes=119), "1 h"),
        (timedelta(hours=47), "47 h"),
        (timedelta(hours=48), "2 days"),
        (timedelta(days=4000), "4,000 days"),
    ],
)
def test_an_age_is_said_in_one_unit(old: timedelta, said: str) -> None:
    assert age(old) == said


def test_an_age_a_little_above_what_is_allowed_is_said_to_the_second() -> None:
    said = too_old("it", timedelta(days=7, seconds=1), timedelta(days=7))

    assert said == "it is 7 days, 0:00:01 old, older than the 7 days, 0:00:00 allowed"
