"""What evidence finds in a trace, by who did the work: what cannot be seen is never accepted (D11)."""

from typing import Any

import pytest

from echelon import Evidence, Trace
from echelon.model.errors import InvalidJob
from echelon.model.graph import WorkerKind

MODEL, COMMAND, FUNCTION, PROCESS = WorkerKind.MODEL, WorkerKind.COMMAND, WorkerKind.FUNCTION, WorkerKind.PROCESS


def trace(kind: WorkerKind = MODEL, **seen: Any) -> Trace:
    return Trace(kind=kind, **seen)


@pytest.mark.parametrize(
    ("asked", "seen", "result"),
    [
        ({"reads": "src/*.py"}, trace(reads=("src/a.py",)), "accepted"),
        ({"reads": "src/*.py"}, trace(reads=("/home/x/src/a.py",)), "accepted"),
        ({"reads": "src/*.py"}, trace(reads=("docs/a.md",)), "rejected"),
        ({"reads": ["a.py", "b.py"]}, trace(reads=("a.py",)), "rejected"),
        ({"reads": ["a.py", "b.py"]}, trace(reads=("a.py", "x/b.py")), "accepted"),
        ({"reads": 2}, trace(reads=("a",)), "rejected"),
        ({"reads": 2}, trace(reads=("a",), left_out=1), "accepted"),
        ({"calls": 1}, trace(), "rejected"),
        ({"calls": "read_file"}, trace(calls=('read_file({"path": "a"})',)), "accepted"),
        ({"calls": "write_*"}, trace(calls=('read_file({"path": "a"})',)), "rejected"),
        ({"changes": "*.patch"}, trace(COMMAND, changes=("out/a.patch",)), "accepted"),
        ({"changes": 1}, trace(COMMAND), "rejected"),
        ({"changes": 1}, trace(PROCESS, changes=("x",)), "accepted"),
        ({"reads": "inspect/*"}, trace(FUNCTION, reads=("inspect/a",)), "accepted"),
        # What nobody can see is not there, and not missing either.
        ({"reads": 1}, trace(COMMAND), "unverifiable"),
        ({"commands": "pytest*"}, trace(FUNCTION), "unverifiable"),
        ({"reads": 1, "changes": 1}, trace(COMMAND), "rejected"),
        ({"reads": 1, "changes": 1}, trace(COMMAND, changes=("x",)), "unverifiable"),
        ({"calls": 1}, trace(WorkerKind.JOB), "unverifiable"),
        ({"calls": 1}, trace(FUNCTION, leaves_trace=False, calls=("x",)), "unverifiable"),
    ],
)
def test_a_trace_shows_what_is_asked_for_or_not(asked: Any, seen: Trace, result: str) -> None:
    assert Evidence(**asked).judge(seen).result == result


@pytest.mark.parametrize(
    ("line", "fits"),
    [
        ("pytest -q", True),
        ("cd x && uv run pytest -q", True),
        ("FOO=1 .venv/bin/pytest -q; echo done", True),
        ("bash -lc 'cd src && python -m pytest'", True),
        ("/usr/bin/python3.11 -m pytest x", True),
        ("echo pytest", False),
        ("echo 'x && pytest -q'", False),
        ("grep pytest pyproject.toml | head", False),
        ("'unclosed && pytest", False),
    ],
)
def test_a_command_line_fits_by_a_program_that_is_run_in_it(line: str, fits: bool) -> None:
    assert Evidence(commands="pytest*").judge(trace(commands=(line,))).passed is fits


def test_a_gap_says_what_is_asked_for_and_what_there_is() -> None:
    found = Evidence(reads="src/*.py", calls=2).judge(trace(calls=("look()",)))

    assert found.gap == (
        "the work shows no reads fit 'src/*.py' (it shows none); the work shows 1 call of at least 2 (it shows "
        "'look()')"
    )


@pytest.mark.parametrize("asked", [{}, {"calls": 0}, {"reads": True}, {"reads": ""}, {"reads": []}])
def test_evidence_of_nothing_is_refused(asked: Any) -> None:
    with pytest.raises(InvalidJob, match="Evidence"):
        Evidence(**asked)
