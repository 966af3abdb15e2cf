"""The risk of a module: seven parts, each 0 to 1, and how they add up. Pure.

A part grows linearly between two bounds: below the lower one it is no concern, from the upper one on it is as bad as
it gets. Parts add up like independent chances of trouble, `risk = 1 - (1 - w1·p1)(1 - w2·p2)…`, so that one bad part is
enough to be seen, no part can push the risk above its weight alone, and the order of parts does not matter.
"""

import math
from collections.abc import Iterable

from contracts.modules import Kind, Metrics, RiskParts
from contracts.surveys import Clone, DeadItem, LintHit
from tasks.severities import WEIGHTS

#: The most that a part alone can make of the risk.
PART_WEIGHTS: dict[Kind, float] = {
    Kind.COMPLEXITY: 0.50,
    Kind.DEFECTS: 0.50,
    Kind.SIZE: 0.30,
    Kind.MAINTAINABILITY: 0.30,
    Kind.DUPLICATION: 0.25,
    Kind.CYCLE: 0.20,
    Kind.DEAD_CODE: 0.15,
}

#: A share of fewer lines of code than this says nothing: one unused import is no tenth of a file.
_SMALL = 50


def ramp(value: float, low: float, high: float) -> float:
    """Return 0 up to `low`, 1 from `high` on, and a straight line between."""
    return min(1.0, max(0.0, (value - low) / (high - low)))


def score_parts(
    metrics: Metrics, hits: Iterable[LintHit], dead: Iterable[DeadItem], clones: Iterable[Clone], cycle_size: int
) -> RiskParts:
    """Judge what was measured and found in one module."""
    code_lines = max(_SMALL, metrics.code_lines)
    weight = sum(WEIGHTS[hit.severity] for hit in hits)
    # One function of complexity 40, or eight above 10, is as hard to follow as it gets.
    hardest, many = ramp(metrics.worst_complexity, 8, 40), ramp(metrics.complex_functions, 0, 8)
    return RiskParts(
        complexity=round(0.7 * hardest + 0.3 * many, 4),
        size=round(ramp(code_lines, 200, 1_200), 4),
        maintainability=round(ramp(45 - metrics.maintainability, 0, 45), 4),  # radon calls 20 and more good
        defects=round(1 - math.exp(-weight / 3), 4),  # one critical finding: 0.57, two: 0.81
        dead_code=round(ramp(sum(item.lines * item.confidence for item in dead) / code_lines, 0, 0.2), 4),
        duplication=round(ramp(covered_lines(clones) / code_lines, 0.05, 0.5), 4),
        cycle=round(ramp(math.log2(max(1, cycle_size)), 0, 4), 4),  # two modules: 0.25, sixteen: 1
    )


def covered_lines(clones: Iterable[Clone]) -> int:
    """Count the lines that are in at least one clone."""
    return len({line for clone in clones for line in range(clone.line, clone.end_line + 1)})


def risk_of(parts: RiskParts) -> float:
    """Add the parts up to one number, 0 to 1."""
    safe = math.prod(1 - weight * getattr(parts, kind) for kind, weight in PART_WEIGHTS.items())
    return round(1 - safe, 4)


def by_weight(parts: RiskParts) -> list[Kind]:
    """Return the parts that count, the one that contributes most first."""
    counting = [kind for kind in PART_WEIGHTS if getattr(parts, kind) > 0]
    return sorted(counting, key=lambda kind: -PART_WEIGHTS[kind] * getattr(parts, kind))
