"""What a plan takes from the definition of a job, and what the linter finds in it before a run."""

from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel

from echelon import Handoffs, Job, Organisation, agent, integrator
from echelon.definition.need import Need
from echelon.lint.rules import lint
from echelon.model.plan import Finding


class Risk(Enum):
    LOW = "low"
    HIGH = "high"


class Inputs(BaseModel):
    number: int = 20


class Judged(BaseModel):
    risk: Risk


@agent
async def look(item: int) -> int:
    """Look at it."""
    return item


@agent
async def judge(item: int) -> Judged:
    """Judge it."""
    return Judged(risk=Risk.LOW)


@agent
async def publish(item: int) -> int:
    """Publish it."""
    return item


@integrator
def total(parts: Handoffs[int]) -> int:
    """Add up."""
    return sum(parts.outputs())


@total.combine
def of_totals(parts: Handoffs[int]) -> int:
    """Add up what was added up."""
    return sum(parts.outputs())


def items(number: int) -> range:
    return range(number)


def job(**options: Any) -> Job:
    return Job("survey", goal="Look around", inputs=Inputs, **options)


def found(made: Job, rule: str, number: int = 20) -> list[Finding]:
    return [finding for finding in lint(*made.decided(Inputs(number=number))) if finding.rule == rule]


@pytest.mark.parametrize(
    ("integrate", "mode", "findings"),
    [pytest.param(None, "none", 0), pytest.param(total, "primary", 1), pytest.param(of_totals, "staged", 0)],
    ids=["X2-passed-on", "X2-at-once", "X2-in-stages"],
)
def test_a_plan_says_who_integrates_and_a_hierarchy_without_stages_is_found(
    integrate: Any, mode: str, findings: int
) -> None:
    made = job()
    made.phase("look", each=look, over=items, integrate=integrate)

    assert [phase.integration for phase in made.plan_for(Inputs()).phases] == [mode]
    assert len(found(made, "X2")) == findings
    assert found(made, "X2", number=8) == []


@pytest.mark.parametrize(
    ("who", "words", "findings"),
    [pytest.param(look, {}, 1), pytest.param(judge, {"Risk": ("low", "high")}, 0)],
    ids=["C3-none", "C3-declared"],
)
def test_the_words_of_contracts_are_known_before_the_run(who: Any, words: dict[str, Any], findings: int) -> None:
    made = job()
    made.phase("look", each=who, over=items)

    assert made.decided(Inputs())[0].vocabularies == words
    assert len(found(made, "C3", number=50)) == findings
    assert found(made, "C3", number=49) == []


def test_the_words_of_an_integrator_count_too() -> None:
    @integrator
    def verdict(parts: Handoffs[int]) -> Judged:
        """Judge the whole."""
        return Judged(risk=Risk.HIGH)

    made = job()
    made.phase("look", each=look, over=items, integrate=verdict)

    assert found(made, "C3", number=50) == []


@pytest.mark.parametrize(("coupling", "findings"), [("tight", 1), ("loose", 0)])
def test_a_tight_need_of_many_agents_is_found(coupling: str, findings: int) -> None:
    made = job()
    made.phase("look", each=look, over=items)
    made.phase("publish", each=publish, over=items, needs=[Need("look", coupling, reason="all of it or nothing")])

    assert len(found(made, "R8")) == findings
    assert found(made, "R8", number=4) == []


def test_a_wish_of_a_job_that_no_run_obeys_is_found() -> None:
    made = job(organisation=Organisation(sync="adaptive"))
    made.phase("look", each=look, over=items)

    assert [finding.where for finding in found(made, "R1")] == ["organisation.sync"]
