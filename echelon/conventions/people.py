"""Rows that people are told: how one is made, and what they mostly ask of a plan."""

from collections.abc import Callable, Iterable

from echelon.conventions.facts import Audience, Facts
from echelon.conventions.row import Aspect, Row, Text, always
from echelon.model.plan import PhasePlan, Plan

#: Where most of the code is that keeps these sentences.
COORDINATION = "echelon.coordination"


def to_people(
    name: str, aspect: Aspect, text: str | Text, mechanism: str, when: Callable[[Facts], bool] = always
) -> Row:
    """Return a row that people are told."""
    people = frozenset({Audience.PERSON})
    return Row(id=name, aspect=aspect, audience=people, text=text, mechanism=mechanism, when=when)


def of_plan(text: Callable[[Plan], Iterable[str]]) -> Text:
    """Return what says something of the plan, where there is one."""
    return lambda facts: text(facts.plan) if facts.plan else ()


def in_plan(holds: Callable[[Plan], bool]) -> Callable[[Facts], bool]:
    """Return what says whether something holds of the plan."""
    return lambda facts: facts.plan is not None and holds(facts.plan)


def in_a_phase(holds: Callable[[PhasePlan], object]) -> Callable[[Facts], bool]:
    """Return what says whether something holds of one of its phases."""
    return in_plan(lambda plan: any(map(holds, plan.phases)))


def several(facts: Facts) -> bool:
    """Say whether there is more than one agent."""
    return facts.are_several
