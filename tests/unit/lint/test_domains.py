"""L8, R9: one pattern for unlike domains is named."""

import pytest

from echelon import Job, Organisation, Resilience, agent
from echelon.definition.definition import NoInputs
from echelon.definition.planned import planned
from echelon.lint.rules import lint
from echelon.model.graph import ErrorConsequence
from echelon.model.plan import Finding, FindingLevel
from echelon.model.policy import Strictness


@agent
async def look(item: str) -> str:
    return item


def job(
    *,
    consequence: ErrorConsequence = "minor",
    contract: Strictness | None = None,
    organisation: Organisation | None = None,
) -> Job:
    """Return a job with two domains: `easy`, and `dear`, which is as stated."""
    made = Job("audit", goal="Find what is risky", organisation=organisation)
    made.phase("easy", each=look, over=lambda: ["a", "b"], domain=lambda _: "easy")
    made.phase(
        "dear",
        each=look,
        over=lambda: ["c", "d"],
        domain=lambda _: "dear",
        error_consequence=consequence,
        resilience=Resilience(contract=contract),
    )
    return made


def found(made: Job) -> list[Finding]:
    ready = planned(made, NoInputs())
    return [one for one in lint(ready.expansion.graph, ready.plan) if one.rule == "L8"]


@pytest.mark.parametrize(
    ("consequence", "contract", "expected"),
    [
        ("minor", "flexible", []),
        ("significant", None, []),
        ("significant", "strict", []),
        ("significant", "flexible", ["dear"]),
        ("catastrophic", "flexible", ["dear"]),
    ],
)
def test_repairs_where_a_wrong_output_is_dear_are_a_finding(
    consequence: ErrorConsequence, contract: Strictness | None, expected: list[str]
) -> None:
    findings = found(job(consequence=consequence, contract=contract))

    assert [one.where for one in findings] == expected
    assert all(one.level is FindingLevel.WARNING for one in findings)


def test_where_nobody_states_a_strictness_contracts_are_strict_whatever_a_wrong_output_costs() -> None:
    plan = planned(job(consequence="catastrophic"), NoInputs()).plan

    assert {one.name: (one.strictness, one.error_consequence) for one in plan.domains} == {
        "easy": ("strict", "minor"),
        "dear": ("strict", "catastrophic"),
    }


def test_a_domain_is_as_flexible_as_its_phases_and_agents_are() -> None:
    plan = planned(job(contract="flexible"), NoInputs()).plan

    assert {one.name: one.strictness for one in plan.domains} == {"easy": "strict", "dear": "flexible"}


def test_one_rhythm_for_domains_that_differ_is_named() -> None:
    asked = Organisation(sync="milestone")
    (finding,) = found(job(consequence="significant", organisation=asked))

    assert (finding.level, finding.where) == (FindingLevel.INFO, "organisation.sync")
    assert "'dear' should begin with 'phase'" in finding.message


def test_one_rhythm_for_domains_that_are_alike_is_fine() -> None:
    assert found(job(organisation=Organisation(sync="interval"))) == []
