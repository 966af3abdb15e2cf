"""X12, C: what finds the items of a phase may ask for handoffs, as agents do; what it cannot ask for is refused."""

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any

import pytest
from pydantic import BaseModel

from echelon import Handoffs, Job, agent
from echelon.definition.phase import PhaseDefinition
from echelon.definition.planned import planned
from echelon.definition.rolling.discovery import asks_for_handoffs
from echelon.model.errors import InvalidJob


class Inputs(BaseModel):
    """Inputs of the jobs."""

    most: int = 3


class Module(BaseModel):
    """An item."""

    id: str


@agent
async def survey(most: int) -> list[str]:
    """Say what there is."""
    return [f"m{number}" for number in range(most)]


@agent
async def inspect(module: Module) -> str:
    """Look at one."""
    return module.id


def job_of(over: Any, needs: str | None = "survey", each: Any = inspect, **phase: Any) -> Job:
    job = Job("grow", goal="Grow", inputs=Inputs)
    job.phase("survey", agent=survey)
    job.phase("inspect", each=each, over=over, needs=needs or (), **phase)
    return job


def as_list(survey: Handoffs[list[str]]) -> list[Module]:
    return []


def as_sequence(survey: Handoffs[list[str]]) -> Sequence[Module]:
    return ()


def as_iterable(survey: Handoffs[list[str]], most: int) -> Iterable[Module]:
    return ()


def as_iterator(survey: Handoffs[list[str]], inputs: Inputs) -> Iterator[Module]:
    yield from ()


def as_generator(survey: Handoffs[list[str]]) -> Generator[Module]:
    yield from ()


def as_tuple(survey: Handoffs[list[str]]) -> tuple[Module, ...]:
    return ()


def of_everything(found: Handoffs[list[str]]) -> set[Module]:
    return set()


def without_result(survey: Handoffs[list[str]]):  # pyright: ignore[reportUnknownParameterType]
    return [Module(id="m0")]


def as_bare_list(survey: Handoffs[list[str]]) -> list:  # pyright: ignore[reportMissingTypeArgument, reportUnknownParameterType]
    return []


async def waiting(survey: Handoffs[list[str]]) -> list[Module]:
    return []


@agent(timeout=7, goal="Find modules")
async def guarded(survey: Handoffs[list[str]]) -> list[Module]:
    return []


def settled(job: Job) -> PhaseDefinition:
    return job.phases["inspect"]


FINDERS: list[Any] = [
    as_list,
    as_sequence,
    as_iterable,
    as_iterator,
    as_generator,
    as_tuple,
    of_everything,
    without_result,
    as_bare_list,
    waiting,
    guarded,
]


@pytest.mark.parametrize("over", FINDERS, ids=lambda over: getattr(over, "name", None) or over.__name__)
def test_what_asks_for_handoffs_finds_a_list_of_what_the_agent_takes(over: Any) -> None:
    phase = settled(job_of(over))

    assert phase.is_open
    assert phase.discovery is not None
    assert phase.discovery.before is None
    assert phase.discovery.finder is not None
    assert phase.discovery.finder.output_type == list[Module]


def test_a_search_under_agent_keeps_its_time_limit_and_its_goal() -> None:
    discovery = settled(job_of(guarded)).discovery

    assert discovery is not None
    assert discovery.finder is not None
    assert (discovery.finder.resilience.timeout_seconds, discovery.finder.goal) == (7, "Find modules")


def test_a_search_without_handoffs_is_made_when_the_job_is_planned() -> None:
    phase = settled(job_of(lambda most: [Module(id=str(n)) for n in range(most)]))

    assert not phase.is_open
    assert phase.discovery is not None
    assert phase.discovery.before is not None
    assert phase.discovery.before(Inputs(most=2)) == [Module(id="0"), Module(id="1")]


@pytest.mark.parametrize(("over", "asks"), [(as_list, True), (lambda most: [], False), (as_iterable, True)])
def test_it_is_the_type_of_a_parameter_that_asks(over: Callable[..., object], asks: bool) -> None:
    assert asks_for_handoffs(over, "over") is asks


def of_texts(survey: Handoffs[dict[str, int]]) -> list[Module]:
    return []


def of_nobody(nothing_like_it: int, survey: Handoffs[list[str]]) -> list[Module]:
    return []


def unknown(survey: "Handoffs[Nowhere]") -> list[Module]:  # noqa: F821 # pyright: ignore[reportUndefinedVariable, reportUnknownParameterType]
    return []


async def waiting_for_inputs(most: int) -> list[Module]:
    return []


@pytest.mark.parametrize(
    ("over", "needs", "message"),
    [
        (as_list, None, "phase 'inspect': 'as_list' asks for handoffs, and the phase needs none; say which: needs="),
        (of_texts, "survey", "'of_texts' receives from phase 'survey', where 'survey' makes"),
        (of_nobody, "survey", "nothing_like_it"),
        (unknown, "survey", "the annotations of 'unknown' cannot be read"),
        (waiting_for_inputs, "survey", "phase 'inspect': `over` must be a plain function; planning does not wait"),
    ],
)
def test_what_cannot_be_asked_is_refused_when_the_job_is_defined(over: Any, needs: str | None, message: str) -> None:
    with pytest.raises(InvalidJob, match=re.escape(message)):
        job_of(over, needs)


def test_before_anything_is_found_the_plan_says_what_is_not_known() -> None:
    made = planned(job_of(as_list, items=(3, 300)), Inputs()).plan
    (opened,) = made.open

    assert [phase.name for phase in made.phases] == ["survey"]
    assert (opened.phase, opened.after, opened.finder, opened.agent) == ("inspect", ("survey",), "as_list", "inspect")
    assert opened.known == "items known after survey, 3 to 300 expected"
    (why,) = [reason.text for reason in made.reasons if reason.rule == "X12"]
    assert why.startswith("phase 'inspect': items known after survey, 3 to 300 expected; planned, linted and forecast")


def test_what_was_found_is_planned_like_items_that_were_known_before() -> None:
    job = job_of(as_list, domain=lambda module: module.id[0])
    found = [Module(id=f"{letter}{number}") for letter in "ab" for number in range(10)]
    made = planned(job, Inputs(), found={"inspect": found}).plan

    assert made.open == ()
    assert made.n_agents == 21
    assert {phase.name: phase.needs for phase in made.phases} == {"survey": (), "inspect": ("survey",)}


def test_two_items_with_one_key_are_refused() -> None:
    found = [Module(id="m"), Module(id="m")]
    with pytest.raises(InvalidJob, match="phase 'inspect': two items have the key 'inspect/m'"):
        planned(job_of(as_list), Inputs(), found={"inspect": found})
