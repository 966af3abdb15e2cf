"""What can be acted on in a module, one by one, each with a fingerprint that outlives edits around it. Pure."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from contracts.modules import CodeFinding, Kind, Severity
from contracts.surveys import LintHit
from echelon.model.phrasing import listed
from tasks.evidence import ModuleFacts
from tasks.severities import severity_of

#: Hex digits of a fingerprint.
_DIGITS = 16


class _Draft(NamedTuple):
    rule: str
    title: str
    kind: Kind
    severity: Severity
    text: str
    line: int
    subject: str  #: what makes it the same finding in the next run


class _Measure(NamedTuple):
    kind: Kind
    title: str
    value: float
    bounds: tuple[tuple[float, Severity], ...]  #: the worst first
    text: str
    line: int
    subject: str


def findings_of(facts: ModuleFacts, source: str) -> tuple[CodeFinding, ...]:
    """Return what can be acted on in a module whose text is `source`, in order of lines."""
    lines = source.splitlines()
    drafts = sorted(
        (
            *_broken_rules(facts.hits, lines),
            *_unused(facts),
            *_copied(facts, lines),
            *_circular(facts),
            *_measured(facts),
        ),
        key=lambda draft: (draft.line, draft.rule, draft.subject, draft.text),
    )
    return tuple(_finding(facts.module.path, draft, number) for draft, number in _numbered(drafts))


def _numbered(drafts: Iterable[_Draft]) -> Iterator[tuple[_Draft, int]]:
    """Count findings that nothing but their place tells apart."""
    seen: Counter[tuple[str, str]] = Counter()
    for draft in drafts:
        seen[draft.rule, draft.subject] += 1
        yield draft, seen[draft.rule, draft.subject]


def _finding(path: str, draft: _Draft, number: int) -> CodeFinding:
    told = "\0".join((draft.rule, draft.subject, str(number)))
    return CodeFinding(
        path=path,
        rule=draft.rule,
        title=draft.title,
        kind=draft.kind,
        severity=draft.severity,
        text=draft.text,
        line=draft.line,
        fingerprint=hashlib.sha256(told.encode(errors="surrogatepass")).hexdigest()[:_DIGITS],
    )


def _broken_rules(hits: Sequence[LintHit], lines: Sequence[str]) -> Iterator[_Draft]:
    for hit in hits:
        subject = "".join(_between(lines, hit.line, hit.line))
        yield _Draft(hit.rule, hit.name, Kind.DEFECTS, severity_of(hit.rule), hit.message, hit.line, subject)


def _unused(facts: ModuleFacts) -> Iterator[_Draft]:
    for item in facts.dead:
        text = f"{item.what} {item.name} is not used"
        yield _Draft(
            "dead-code", "unused code", Kind.DEAD_CODE, Severity.LOW, text, item.line, f"{item.what} {item.name}"
        )


def _copied(facts: ModuleFacts, lines: Sequence[str]) -> Iterator[_Draft]:
    for clone in facts.clones:
        text = f"{clone.end_line - clone.line + 1} lines exist elsewhere too: {', '.join(clone.others)}"
        subject = "\n".join(_between(lines, clone.line, clone.end_line))
        yield _Draft("duplication", "duplicated code", Kind.DUPLICATION, Severity.LOW, text, clone.line, subject)


def _circular(facts: ModuleFacts) -> Iterator[_Draft]:
    others = [path for path in facts.cycle if path != facts.module.path]
    if others:
        text = f"in an import cycle with {listed(others, 3)}"
        yield _Draft("import-cycle", "import cycle", Kind.CYCLE, Severity.MEDIUM, text, 1, "")


def _measured(facts: ModuleFacts) -> Iterator[_Draft]:
    for one in _measures(facts):
        severity = next((severity for bound, severity in one.bounds if one.value >= bound), None)
        if severity is not None:
            yield _Draft(one.kind.value, one.title, one.kind, severity, one.text, one.line, one.subject)


def _measures(facts: ModuleFacts) -> Iterator[_Measure]:
    found = facts.metrics
    yield _Measure(
        kind=Kind.COMPLEXITY,
        title="complex function",
        value=found.worst_complexity,
        bounds=((20, Severity.MEDIUM), (11, Severity.LOW)),
        text=f"{found.worst_function}() has complexity {found.worst_complexity}",
        line=found.worst_line or 1,
        subject=found.worst_function,
    )
    yield _Measure(
        kind=Kind.SIZE,
        title="large module",
        value=found.code_lines,
        bounds=((1_000, Severity.MEDIUM), (500, Severity.LOW)),
        text=f"{found.code_lines:,} lines of code in one file",
        line=1,
        subject="",
    )
    yield _Measure(
        kind=Kind.MAINTAINABILITY,
        title="hard to maintain",
        value=100 - found.maintainability,
        bounds=((90, Severity.MEDIUM), (80, Severity.LOW)),  # radon calls an index of 20 and more good
        text=f"maintainability index {found.maintainability:.0f} of 100",
        line=1,
        subject="",
    )


def _between(lines: Sequence[str], first: int, last: int) -> list[str]:
    """Return lines as they are told apart: how far they are indented does not count."""
    return [line.strip() for line in lines[first - 1 : last]]
