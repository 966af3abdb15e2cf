"""Judge a plan before anything is spent: what is known to fail, where, why, and what to do instead (L).

The rules are a table. A check looks at a `LintContext` and yields problems; it never changes a plan. Pure: the same
graph and plan always give the same findings. What the planner itself found is among them.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from echelon.lint import (
    boundaries,
    ceremony,
    chains,
    money,
    patterns,
    redundancy,
    scale,
    structure,
    texts,
    trust,
    wishes,
)
from echelon.lint.context import LintContext, Problem
from echelon.model.graph import TaskGraph
from echelon.model.plan import Finding, FindingLevel, Plan

TOLD = 20  # findings of one check told one by one; what is left is told in one more
FEW_TOLD = 5  # for checks that only inform


class Rule(NamedTuple):
    """A row of the table."""

    id: str
    """Rule id."""
    check: Callable[[LintContext], Iterator[Problem]]
    """Finds what breaks it."""
    told: int = TOLD
    """Findings told one by one."""


RULES: tuple[Rule, ...] = (
    Rule("L1", scale.more_agents),
    Rule("L2", scale.flat_past_ten),
    Rule("L3", patterns.continuous_coordination),
    Rule("L4", patterns.comprehensive_visibility),
    Rule("L5", patterns.tight_integration),
    Rule("L6", texts.over_specification),
    Rule("L7", patterns.approval_of_everything),
    Rule("L8", scale.one_pattern_for_all_scales),
    Rule("R1", wishes.wishes_not_followed),
    Rule("D1", chains.serial_chains),
    Rule("D2", boundaries.mostly_crossing),
    Rule("D3", structure.tight_without_reason),
    Rule("D4", ceremony.single_tasks_in_a_row),
    Rule("D6", structure.without_owner),
    Rule("C1", structure.crossing_without_contract),
    Rule("C3", boundaries.undeclared_vocabulary),
    Rule("R2", structure.too_many_reports),
    Rule("R8", boundaries.tight_across_teams),
    Rule("X2", ceremony.integrated_at_once),
    Rule("X4", boundaries.unversioned_inputs),
    Rule("O3", trust.verification),
    Rule("O5", trust.irreversible_without_gate),
    Rule("F3", trust.multiplying_retries),
    Rule("F4", money.money),
    Rule("F9", redundancy.hanging_on_one_agent, FEW_TOLD),
)

#: Levels, the most serious first.
LEVELS = (FindingLevel.ERROR, FindingLevel.WARNING, FindingLevel.INFO)


def lint(graph: TaskGraph, plan: Plan) -> tuple[Finding, ...]:
    """Return everything that should be changed about a plan, errors first, then by rule and place (L).

    Many findings of one check are shortened to the first ones and the number of the others. Raises `InvalidInput` when
    the tasks of `graph` wait for each other in a cycle.
    """
    context = LintContext(graph, plan)
    found = [finding for rule in RULES for finding in _of(rule, context)]
    return by_level((*plan.findings, *found))


def by_level(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return findings with errors first, then by rule and place."""
    return tuple(sorted(findings, key=_rank))


def counted(findings: Sequence[Finding]) -> dict[FindingLevel, int]:
    """Return how many findings there are of each level."""
    return {level: sum(finding.level is level for finding in findings) for level in LEVELS}


def _of(rule: Rule, context: LintContext) -> Iterator[Finding]:
    problems = sorted(rule.check(context), key=lambda problem: (LEVELS.index(problem.level), problem.where, problem))
    for problem in problems[: rule.told]:
        yield Finding(rule=rule.id, **problem._asdict())
    rest = problems[rule.told :]
    if rest:
        message = f"and {len(rest):,} more findings of this kind; the next is at {rest[0].where!r}"
        yield Finding(rule=rule.id, **rest[0]._replace(message=message)._asdict())


def _rank(finding: Finding) -> tuple[int, str, int, str, str]:
    """Order findings: serious ones first, then by rule (by number, not by letter), place and text."""
    letter, number = finding.rule[:1], finding.rule[1:]
    order = int(number) if number.isdigit() else 0
    return LEVELS.index(finding.level), letter, order, finding.where, finding.message
