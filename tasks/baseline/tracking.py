"""Findings against the run before: each is new, open, closed, kept or out of scope. Pure.

A finding is closed only when somebody looked where it was and did not find it, or when its file is gone. Whatever was
not looked at stands as it did: an audit of a part never says that the rest is clean.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from contracts.findings import FindingState, TrackedFinding
from contracts.modules import CodeFinding, Kind
from contracts.surveys import DeadCodeSurvey, DuplicationSurvey, ImportSurvey, LintSurvey, Survey
from tasks.lookup import tool_of

#: What a finding is about → the survey that it is found by; everything else is found by the inspection itself.
_FOUND_BY: dict[Kind, type[Survey]] = {
    Kind.DEFECTS: LintSurvey,
    Kind.DEAD_CODE: DeadCodeSurvey,
    Kind.DUPLICATION: DuplicationSurvey,
    Kind.CYCLE: ImportSurvey,
}


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What this run looked at, and what became of modules that an earlier one knew."""

    inspected: Collection[str]
    """Modules that were inspected."""
    listed: Collection[str]
    """Modules that the tree has, as far as it is audited."""
    excluded: Collection[str] = ()
    """Modules that the run before knew, that are there, and that are not part of this audit."""
    unseen: Mapping[str, Collection[str]] = field(default_factory=dict[str, Collection[str]])
    """Survey → modules that it did not see; `*` stands for all."""
    moved: Mapping[str, str] = field(default_factory=dict[str, str])
    """What a module was called → what it is called now."""
    failed: Collection[str] = ()
    """Modules that were to be inspected, and could not be."""
    why_not: str = "it was not inspected"
    """Why any other module that is listed was not inspected."""

    def name_now(self, path: str) -> str:
        """Return what a module is called today."""
        return self.moved.get(path, path)

    def is_gone(self, path: str) -> bool:
        """Say whether a module of the run before is there no more, under no name."""
        return path not in self.listed and path not in self.excluded and path not in self.inspected

    def why_standing(self, path: str) -> str:
        """Say why nothing new is known of a module; empty when it was inspected, or is gone."""
        if path in self.inspected or self.is_gone(path):
            return ""
        if path in self.failed:
            return "it could not be inspected"
        return self.why_not if path in self.listed else "it is excluded from this audit"

    def unseen_by(self, finding: CodeFinding) -> str:
        """Return the survey that had to find it again and did not see its module; empty when it did."""
        survey = _FOUND_BY.get(finding.kind)
        missed = self.unseen.get(tool_of(survey), ()) if survey else ()
        return tool_of(survey) if survey and ("*" in missed or finding.path in missed) else ""


def track(
    found: Sequence[CodeFinding], before: Sequence[TrackedFinding] | None, scope: Scope
) -> tuple[TrackedFinding, ...]:
    """Return every finding of today and of the run before with its state; `before` is None in a first run."""
    known = {_key(one, scope.name_now(one.path)): one for one in before or () if one.state is not FindingState.CLOSED}
    today = {_key(one, one.path): one for one in found}
    first = FindingState.OPEN if before is None else FindingState.NEW
    states = [_tracked(one, FindingState.OPEN if key in known else first, known.get(key)) for key, one in today.items()]
    left = (_left(one, scope) for key, one in known.items() if key not in today)
    return tuple(sorted((*states, *left), key=lambda one: (one.path, one.line, one.rule, one.fingerprint)))


def _key(finding: CodeFinding, path: str) -> tuple[str, str]:
    return path, finding.fingerprint


def _tracked(
    finding: CodeFinding, state: FindingState, before: CodeFinding | None = None, reason: str = ""
) -> TrackedFinding:
    moved = before.path if before is not None and before.path != finding.path else ""
    fields = {name: getattr(finding, name) for name in CodeFinding.model_fields}
    return TrackedFinding(**fields, state=state, reason=reason, moved_from=moved)


def _left(old: TrackedFinding, scope: Scope) -> TrackedFinding:
    """Say what becomes of a finding that this run does not have."""
    path = scope.name_now(old.path)
    now = old.model_copy(update={"path": path})
    return next(_tracked(now, state, old, reason) for state, reason, holds in _fates(now, scope) if holds())


def _fates(finding: CodeFinding, scope: Scope) -> Iterator[tuple[FindingState, str, Callable[[], bool]]]:
    path, survey = finding.path, scope.unseen_by(finding)
    yield FindingState.CLOSED, "its file is gone", lambda: scope.is_gone(path)
    yield FindingState.OUT_OF_SCOPE, scope.why_standing(path), lambda: path in scope.excluded
    yield FindingState.KEPT, scope.why_standing(path), lambda: path not in scope.inspected
    yield FindingState.KEPT, f"the {survey.replace('_', ' ')} survey did not see its module", lambda: bool(survey)
    yield FindingState.CLOSED, "it is not found any more", lambda: True
