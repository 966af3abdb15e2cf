"""A patch is what git and patch apply; what does not pass is named in it, and in no other way part of it."""

import subprocess
from pathlib import Path

import pytest

from contracts.mending import Fix, Flaw, FlawedFile
from echelon import Handoffs
from echelon.journal.outputs import OutputStore
from echelon.model.handoff import Missing
from tasks.diffs import unified
from tasks.mending.fixing import digest_of, passes
from tasks.mending.patching import patch
from tests.unit.audit.building import handoffs

pytestmark = pytest.mark.anyio

#: File → as it was, as it should be: everything that a patch can trip over.
CHANGES = {
    "a.py": ("import os\nx = 1\n", "x = 1\n"),
    "no_end.py": ("import os\nx = 1", "x = 1"),
    "new_end.py": ("x = 1", "x = 1\n"),
    "emptied.py": ("import os\n", ""),
    "windows.py": ("import os\r\nx = 1\r\n", "x = 1\r\n"),
    "feed.py": ("import os\n\x0cx = 1\u2028\n", "\x0cx = 1\u2028\n"),
    "with blank.py": ("import os\n", "x = 1\n"),
    'ünï/"quoted"\\.py': ("import os\n", "x = 1\n"),
    "tab\tand\nline.py": ("import os\n", "x = 1\n"),
    "-rf.py": ("import os\n", "x = 1\n"),
    "bom.py": ("\ufeffimport os\nx = 1\n", "\ufeffx = 1\n"),
}


@pytest.fixture
def store(tmp_path: Path) -> OutputStore:
    return OutputStore(str(tmp_path / "outputs"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for name, (before, _) in CHANGES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(before.encode())
    return folder


def fix_of(name: str) -> Fix:
    before, after = CHANGES[name]
    return Fix(path=name, sha256=digest_of(before), text=after)


def nothing_said(store: OutputStore) -> Handoffs[str]:
    return handoffs(store, {"lint/lint": "[]"})


def test_git_applies_the_patch_and_the_files_are_as_they_should_be(project: Path, store: OutputStore) -> None:
    fixes = handoffs(store, {f"fix/{name}": fix_of(name) for name in CHANGES})
    made = patch(nothing_said(store), fixes, project).output
    (project.parent / "mend.patch").write_bytes(made.text.encode())
    subprocess.run(["git", "apply", "../mend.patch"], cwd=project, check=True, timeout=60)

    assert made.files == tuple(sorted(CHANGES))
    assert {name: (project / name).read_bytes().decode() for name in CHANGES} == {
        name: after for name, (_, after) in CHANGES.items()
    }


def test_what_did_not_pass_and_what_was_changed_meanwhile_is_named_and_not_part_of_it(
    project: Path, store: OutputStore
) -> None:
    lost = Missing(task_id="fix/lost.py", producer="fix", reason="it does not pass after 3 rounds: line 1: F821")
    (project / "a.py").write_text("import os\nx = 2\n")
    (project / "new_end.py").unlink()
    fixes = handoffs(store, {f"fix/{name}": fix_of(name) for name in ("a.py", "new_end.py", "feed.py")}, (lost,))
    outcome = patch(nothing_said(store), fixes, project)

    assert outcome.output.files == ("feed.py",)
    assert outcome.output.left == {
        "a.py": "a.py was changed after it was mended; run again",
        "lost.py": lost.reason,
        "new_end.py": "new_end.py cannot be read: No such file or directory",
    }
    assert outcome.shortfall == "a.py was changed after it was mended; run again; " + outcome.output.left["new_end.py"]


def test_a_file_that_is_as_it_was_is_no_part_of_a_patch() -> None:
    assert unified("a.py", "x\n", "x\n") == ""


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("def f():\n    return 1\n", ""),
        ("import os\n\n\ndef f():\n    return 1\n", "line 1: F401 `os` imported but unused"),
        ("", "no longer there: f"),
        ("def g():\n    return 1\n", "no longer there: f"),
        ("def f(:\n", "invalid-syntax"),
    ],
)
async def test_a_file_passes_when_the_linter_finds_nothing_and_nothing_is_lost(
    tmp_path: Path, after: str, expected: str
) -> None:
    """An empty file passes every linter."""
    before = "import os\n\n\ndef f():\n    return 1\n"
    (tmp_path / "a.py").write_text(before)
    file = FlawedFile(path="a.py", flaws=(Flaw(rule="F401", line=1, message="unused"),))
    said = await passes(file, Fix(path="a.py", sha256=digest_of(before), text=after), tmp_path)

    assert (expected in said) if expected else said == ""
