"""Putting what was found in a module into facts that somebody can check. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from contracts.modules import Evidence, Kind, Metrics, Module, Severity
from contracts.surveys import Clone, DeadItem, LintHit
from echelon import Concern
from tasks.scoring import covered_lines
from tasks.severities import CONCERNING

#: How many single facts of one kind are told; the rest is counted.
_TOLD = 5
_SEVERE = (Severity.CRITICAL, Severity.HIGH)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything known about one module."""

    module: Module
    """The module."""
    metrics: Metrics
    """What was measured in it."""
    hits: Sequence[LintHit] = ()
    """Rules it breaks."""
    dead: Sequence[DeadItem] = ()
    """What in it nobody uses."""
    clones: Sequence[Clone] = ()
    """What in it exists elsewhere too."""
    cycle: Sequence[str] = ()
    """The modules of the import cycle it is in, itself included."""


def evidence_of(facts: Facts, order: Iterable[Kind]) -> tuple[Evidence, ...]:
    """Return the facts behind each part of the risk, in the order of the parts."""
    return tuple(evidence for kind in order for evidence in _TELLERS[kind](facts))


def critical_of(facts: Facts) -> tuple[Evidence, ...]:
    """Return the findings that must reach the top one by one (X8)."""
    return tuple(_told(hit) for hit in facts.hits if hit.severity is Severity.CRITICAL)


def concerns_of(facts: Facts) -> tuple[Concern, ...]:
    """Return what somebody must hear about: one concern for each rule, with all its lines."""
    lines: dict[str, list[LintHit]] = {}
    for hit in facts.hits:
        if hit.rule in CONCERNING:
            lines.setdefault(hit.rule, []).append(hit)
    return tuple(_concern(facts.module, rule, hits) for rule, hits in lines.items())


def _concern(module: Module, rule: str, hits: Sequence[LintHit]) -> Concern:
    confidence, impact = CONCERNING[rule]
    return Concern(
        about=module.path,
        message=f"{rule}: {hits[0].message}",
        confidence=confidence,
        impact=impact,
        evidence=tuple(f"{module.path}:{hit.line}: {hit.message}" for hit in hits),
    )


def _complexity(facts: Facts) -> Iterator[Evidence]:
    found = facts.metrics
    text = f"{found.worst_function}() has complexity {found.worst_complexity}"
    if found.complex_functions > 1:
        text += f"; {found.complex_functions} of {found.functions} functions are above 10"
    yield Evidence(kind=Kind.COMPLEXITY, text=text, line=found.worst_line)


def _size(facts: Facts) -> Iterator[Evidence]:
    yield Evidence(kind=Kind.SIZE, text=f"{facts.metrics.code_lines:,} lines of code in one file")


def _maintainability(facts: Facts) -> Iterator[Evidence]:
    index = facts.metrics.maintainability
    yield Evidence(kind=Kind.MAINTAINABILITY, text=f"maintainability index {index:.0f} of 100")


def _defects(facts: Facts) -> Iterator[Evidence]:
    severe = sorted((hit for hit in facts.hits if hit.severity in _SEVERE), key=lambda hit: _SEVERE.index(hit.severity))
    yield from map(_told, severe[:_TOLD])
    counts = Counter(hit.rule for hit in [*severe[_TOLD:], *(hit for hit in facts.hits if hit.severity not in _SEVERE)])
    if counts:
        named = ", ".join(f"{count} × {rule}" for rule, count in counts.most_common(_TOLD))
        yield Evidence(kind=Kind.DEFECTS, text=f"{'also ' if severe else ''}{named}")


def _told(hit: LintHit) -> Evidence:
    return Evidence(kind=Kind.DEFECTS, text=f"{hit.rule} {hit.message}", line=hit.line)


def _dead_code(facts: Facts) -> Iterator[Evidence]:
    for item in sorted(facts.dead, key=lambda item: -item.lines)[:2]:
        length = f", {item.lines} lines" if item.lines > 1 else ""
        yield Evidence(kind=Kind.DEAD_CODE, text=f"{item.what} {item.name} is not used{length}", line=item.line)


def _duplication(facts: Facts) -> Iterator[Evidence]:
    longest = max(facts.clones, key=lambda clone: clone.end_line - clone.line)
    text = f"{covered_lines(facts.clones)} lines exist elsewhere too, the longest piece in {', '.join(longest.others)}"
    yield Evidence(kind=Kind.DUPLICATION, text=text, line=longest.line)


def _cycle(facts: Facts) -> Iterator[Evidence]:
    others = [path for path in facts.cycle if path != facts.module.path]
    more = f" and {len(others) - 3} more" if len(others) > 3 else ""
    yield Evidence(kind=Kind.CYCLE, text=f"in an import cycle with {', '.join(others[:3])}{more}")


#: Part of the risk → who tells the facts behind it.
_TELLERS: dict[Kind, Callable[[Facts], Iterator[Evidence]]] = {
    Kind.COMPLEXITY: _complexity,
    Kind.SIZE: _size,
    Kind.MAINTAINABILITY: _maintainability,
    Kind.DEFECTS: _defects,
    Kind.DEAD_CODE: _dead_code,
    Kind.DUPLICATION: _duplication,
    Kind.CYCLE: _cycle,
}
