"""Findings from run to run. What was not looked at is never called closed."""

from typing import Any

import pytest

from contracts.findings import FindingState, TrackedFinding
from contracts.modules import CodeFinding, Kind, Severity
from tasks.baseline.tracking import Scope, track


def finding(path: str = "m.py", fingerprint: str = "f", kind: Kind = Kind.DEFECTS, line: int = 1) -> CodeFinding:
    return CodeFinding(
        path=path,
        rule="S307",
        title="eval",
        kind=kind,
        severity=Severity.CRITICAL,
        text="eval is used",
        line=line,
        fingerprint=fingerprint,
    )


def tracked(state: FindingState = FindingState.OPEN, **of: Any) -> TrackedFinding:
    return TrackedFinding(**finding(**of).model_dump(), state=state)


def scope(**changed: Any) -> Scope:
    return Scope(**{"inspected": {"m.py"}, "listed": {"m.py"}, **changed})


#: What there was before, what is found now, what was looked at → the state, and the reason.
FATES: list[tuple[str, list[TrackedFinding] | None, list[CodeFinding], Scope, str, str]] = [
    ("in a first run all is open", None, [finding()], scope(), "open", ""),
    ("it was not there before", [], [finding()], scope(), "new", ""),
    ("it is still there, elsewhere", [tracked(line=9)], [finding()], scope(), "open", ""),
    ("it was closed, and is back", [tracked(FindingState.CLOSED)], [finding()], scope(), "new", ""),
    ("it is not found any more", [tracked()], [], scope(), "closed", "it is not found any more"),
    ("its file is gone", [tracked()], [], scope(inspected=(), listed=()), "closed", "its file is gone"),
    (
        "its file did not change",
        [tracked()],
        [],
        scope(inspected=(), why_not="it has not changed since main"),
        "kept",
        "it has not changed since main",
    ),
    (
        "its file cannot be read",
        [tracked()],
        [],
        scope(inspected=(), failed={"m.py"}),
        "kept",
        "it could not be inspected",
    ),
    (
        "its file is excluded",
        [tracked()],
        [],
        scope(inspected=(), listed=(), excluded={"m.py"}),
        "out of scope",
        "it is excluded from this audit",
    ),
    (
        "what finds it gave no answer",
        [tracked()],
        [],
        scope(unseen={"lint": ("*",)}),
        "kept",
        "the lint survey did not see its module",
    ),
    (
        "what finds it did not see its file",
        [tracked(kind=Kind.DEAD_CODE)],
        [],
        scope(unseen={"dead_code": ("m.py",)}),
        "kept",
        "the dead code survey did not see its module",
    ),
    (
        "what finds something else gave no answer",
        [tracked(kind=Kind.SIZE)],
        [],
        scope(unseen={"lint": ("*",)}),
        "closed",
        "it is not found any more",
    ),
    (
        "it was kept, and is still not looked at",
        [tracked(FindingState.KEPT)],
        [],
        scope(inspected=(), why_not="it has not changed since main"),
        "kept",
        "it has not changed since main",
    ),
]


@pytest.mark.parametrize(
    ("before", "found", "looked_at", "state", "reason"), [f[1:] for f in FATES], ids=[f[0] for f in FATES]
)
def test_a_finding_stands_as(
    before: list[TrackedFinding] | None, found: list[CodeFinding], looked_at: Scope, state: str, reason: str
) -> None:
    (one,) = track(found, before, looked_at)

    assert (one.state.value, one.reason) == (state, reason)


def test_what_was_closed_is_told_once() -> None:
    assert track([], [tracked(FindingState.CLOSED)], scope()) == ()


@pytest.mark.parametrize("still_found", [True, False])
def test_findings_move_with_a_file_that_is_renamed(still_found: bool) -> None:
    renamed = scope(inspected={"new.py"}, listed={"new.py"}, moved={"m.py": "new.py"})
    (one,) = track([finding("new.py")] if still_found else [], [tracked()], renamed)

    assert (one.path, one.moved_from, one.state.value) == ("new.py", "m.py", "open" if still_found else "closed")
    assert one.reason == ("" if still_found else "it is not found any more")
