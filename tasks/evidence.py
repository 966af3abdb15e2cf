"""Putting what was found in a module into facts that somebody can check. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from contracts.modules import Kind, Metrics, Module, Observation, Severity
from contracts.surveys import Clone, DeadItem, LintHit
from echelon import Concern
from echelon.model.phrasing import listed
from tasks.scoring import covered_lines
from tasks.severities import CONCERNING, WEIGHTS

#: How many single facts of one kind are told; the rest is counted.
_TOLD = 5
_SEVERE = (Severity.CRITICAL, Severity.HIGH)


@dataclass(frozen=True, kw_only=True)
class ModuleFacts:
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


def evidence_of(facts: ModuleFacts, order: Iterable[Kind]) -> tuple[Observation, ...]:
    """Return the facts behind each part of the risk, in the order of the parts."""
    return tuple(evidence for kind in order for evidence in _TELLERS[kind](facts))


def critical_of(facts: ModuleFacts) -> tuple[Observation, ...]:
    """Return the findings that must reach the top one by one (X8)."""
    severe = (hit for hit in facts.hits if hit.severity is Severity.CRITICAL)
    return tuple(Observation(kind=Kind.DEFECTS, text=f"{hit.rule} {hit.message}", line=hit.line) for hit in severe)


def concerns_of(facts: ModuleFacts) -> tuple[Concern, ...]:
    """Return what somebody must hear about: one concern for each rule, with all its lines."""
    rules = by_rule(hit for hit in facts.hits if hit.rule in CONCERNING)
    return tuple(_concern(facts.module, hits[0].rule, hits) for hits in rules)


def _concern(module: Module, rule: str, hits: Sequence[LintHit]) -> Concern:
    confidence, impact = CONCERNING[rule]
    return Concern(
        about=module.path,
        message=f"{rule}: {hits[0].message}",
        confidence=confidence,
        impact=impact,
        evidence=tuple(f"{module.path}:{hit.line}: {hit.message}" for hit in hits),
    )


def _complexity(facts: ModuleFacts) -> Iterator[Observation]:
    found = facts.metrics
    text = f"{found.worst_function}() has complexity {found.worst_complexity}"
    if found.complex_functions > 1:
        text += f"; {found.complex_functions} of {found.functions} functions are above 10"
    yield Observation(kind=Kind.COMPLEXITY, text=text, line=found.worst_line)


def _size(facts: ModuleFacts) -> Iterator[Observation]:
    yield Observation(kind=Kind.SIZE, text=f"{facts.metrics.code_lines:,} lines of code in one file")


def _maintainability(facts: ModuleFacts) -> Iterator[Observation]:
    index = facts.metrics.maintainability
    yield Observation(kind=Kind.MAINTAINABILITY, text=f"maintainability index {index:.0f} of 100")


def _defects(facts: ModuleFacts) -> Iterator[Observation]:
    rules = by_rule(facts.hits)
    severe = sorted(
        (hits for hits in rules if hits[0].severity in _SEVERE), key=lambda hits: _SEVERE.index(hits[0].severity)
    )
    for hits in severe[:_TOLD]:
        yield Observation(
            kind=Kind.DEFECTS, text=f"{hits[0].rule} {hits[0].message}{_more_lines(hits)}", line=hits[0].line
        )
    others = [*severe[_TOLD:], *(hits for hits in rules if hits[0].severity not in _SEVERE)]
    if others:
        others.sort(key=lambda hits: -len(hits) * WEIGHTS[hits[0].severity])
        named = ", ".join(f"{len(hits)} × {hits[0].rule} {hits[0].name}" for hits in others[:_TOLD])
        yield Observation(kind=Kind.DEFECTS, text=f"{'also ' if severe else ''}{named}")


def by_rule(hits: Iterable[LintHit]) -> list[list[LintHit]]:
    """Gather the findings of each rule, in the order in which rules are first met."""
    rules: dict[str, list[LintHit]] = {}
    for hit in hits:
        rules.setdefault(hit.rule, []).append(hit)
    return list(rules.values())


def _more_lines(hits: Sequence[LintHit]) -> str:
    return f" (also in lines {', '.join(str(hit.line) for hit in hits[1:9])})" if len(hits) > 1 else ""


def _dead_code(facts: ModuleFacts) -> Iterator[Observation]:
    for item in sorted(facts.dead, key=lambda item: -item.lines)[:2]:
        length = f", {item.lines} lines" if item.lines > 1 else ""
        yield Observation(kind=Kind.DEAD_CODE, text=f"{item.what} {item.name} is not used{length}", line=item.line)


def _duplication(facts: ModuleFacts) -> Iterator[Observation]:
    longest = max(facts.clones, key=lambda clone: clone.end_line - clone.line)
    text = f"{covered_lines(facts.clones)} lines exist elsewhere too, the longest piece in {', '.join(longest.others)}"
    yield Observation(kind=Kind.DUPLICATION, text=text, line=longest.line)


def _cycle(facts: ModuleFacts) -> Iterator[Observation]:
    others = [path for path in facts.cycle if path != facts.module.path]
    yield Observation(kind=Kind.CYCLE, text=f"in an import cycle with {listed(others, 3)}")


#: Part of the risk → who tells the facts behind it.
_TELLERS: dict[Kind, Callable[[ModuleFacts], Iterator[Observation]]] = {
    Kind.COMPLEXITY: _complexity,
    Kind.SIZE: _size,
    Kind.MAINTAINABILITY: _maintainability,
    Kind.DEFECTS: _defects,
    Kind.DEAD_CODE: _dead_code,
    Kind.DUPLICATION: _duplication,
    Kind.CYCLE: _cycle,
}
