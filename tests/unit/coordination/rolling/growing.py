"""Jobs for the tests of plans that grow: a survey says what there is, and one agent looks at each of it."""

from collections.abc import Callable, Iterable
from typing import Any

from pydantic import BaseModel

from echelon import Handoffs, Job, Resilience, agent, integrator
from tests.unit.coordination.jobs import ONCE


class Wanted(BaseModel):
    """What the jobs are given."""

    names: tuple[str, ...] = ()


class Module(BaseModel):
    """Something that was found."""

    id: str
    package: str = "p"


def names(number: int) -> Wanted:
    """Ask for so many modules."""
    return Wanted(names=tuple(f"m{n}" for n in range(number)))


@agent
async def survey(names: tuple[str, ...]) -> list[str]:
    """Say what there is."""
    return list(names)


def modules(survey: Handoffs[list[str]]) -> list[Module]:
    """Find the modules."""
    return [Module(id=one, package=f"p{number % 5}") for found in survey.outputs() for number, one in enumerate(found)]


@agent
async def inspect(module: Module) -> str:
    """Look at a module."""
    return module.id


@integrator
async def merge(seen: Handoffs[str]) -> list[str]:
    """Put together what was seen."""
    return sorted(seen.outputs())


@merge.combine
async def staged(seen: Handoffs[list[str]]) -> list[str]:
    """Put together what was put together."""
    return sorted(one for some in seen.outputs() for one in some)


@agent
async def conclude(inspect: Handoffs[list[str]]) -> int:
    """Count what was seen."""
    return sum(len(some) for some in inspect.outputs())


def growing(
    over: Callable[..., Iterable[object]] = modules,
    *,
    first: Any = survey,
    each: Any = inspect,
    defaults: Resilience = ONCE,
    job: dict[str, Any] | None = None,
    **phase: Any,
) -> Job:
    """Make a job that finds the items of its second phase on the way; `phase` changes that, `job` the whole."""
    made = Job("growing", goal="See what there is", inputs=Wanted, defaults=defaults, **(job or {}))
    made.phase("survey", agent=first)
    given = {"domain": lambda module: module.package, "integrate": staged} | phase
    made.phase("inspect", each=each, over=over, needs="survey", **given)
    made.phase("conclude", agent=conclude, needs="inspect")
    return made
