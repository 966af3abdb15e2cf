"""From hotspots to changed files: mended on a copy, looked at by the tools of the audit, applied as they were seen."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contracts.fixes import CheckedFixes, FixProposal, FixReport
from echelon import AgentFailed, Handoffs, Outcome, Workspace
from echelon.journal.outputs import OutputStore
from echelon.model.handoff import Missing
from tasks.discovery import DEFAULT_EXCLUDE
from tasks.fixes.applying import apply_fixes, difference
from tasks.fixes.proposing import fix_hotspots, mend_copies, why_no_python
from tasks.fixes.rechecking import recheck_fixes
from tasks.fixes.reporting import FixOutcome, audit_in, fixes_of, outcome_of
from tests.unit.audit.building import LIMIT, handoffs, tree
from tests.unit.fixes.building import fix_of, inspected, survey
from tests.unit.visibility.building import run_view

pytestmark = pytest.mark.anyio

#: A hotspot: something critical, which nobody mends by himself, and something that the linter mends safely.
RISKY = "import os\n\n\ndef read(text):\n    return eval(text)\n"
MENDED = "\n\ndef read(text):\n    return eval(text)\n"


def propose(root: Path, folder: Path) -> Outcome[FixProposal]:
    found = survey(root, folder)
    workspace = folder / "fixing"
    workspace.mkdir()
    return fix_hotspots(inspected(root, folder, found), found, root, LIMIT, Workspace(workspace))


async def recheck(root: Path, folder: Path, *fixes: Any, check: tuple[str, ...] = (), without: str = "") -> Any:
    workspace = folder / "checking"
    workspace.mkdir(exist_ok=True)
    given = handoffs(OutputStore(str(folder / "fixes")), {"fix/tree": FixProposal(files=fixes)})
    made = await recheck_fixes(
        fix=given,
        survey=survey(root, folder, without),
        path=root,
        exclude=DEFAULT_EXCLUDE,
        max_bytes=LIMIT,
        check=check,
        workspace=Workspace(workspace),
    )
    assert list(workspace.iterdir()) == [], "no copy of what was audited is kept"
    return made


def contents(root: Path) -> dict[str, bytes]:
    return {file.relative_to(root).as_posix(): file.read_bytes() for file in root.rglob("*") if file.is_file()}


async def test_hotspots_are_mended_on_a_copy_and_nothing_else_is(tmp_path: Path) -> None:
    """What is no hotspot is left alone, and so is what only a person can mend."""
    configured = "[tool.ruff.lint]\nselect = []\n"
    root = tree(tmp_path / "tree", {"a.py": RISKY, "calm.py": "import os\n", "pyproject.toml": configured})
    before = contents(root)
    made = propose(root, tmp_path)

    assert [(one.path, one.text) for one in made.output.files] == [("a.py", MENDED)]
    assert (made.output.left, made.shortfall) == ({}, "")
    assert contents(root) == before
    assert not (tmp_path / "fixing").exists()


async def test_a_hotspot_that_cannot_be_patched_is_left_with_the_reason(tmp_path: Path) -> None:
    latin = "# coding: latin-1\n# é\n".encode("latin-1") + RISKY.encode()
    made = propose(tree(tmp_path / "tree", {"a.py": RISKY, "latin.py": latin}), tmp_path)

    assert [one.path for one in made.output.files] == ["a.py"]
    assert made.output.left == {"latin.py": "it is not UTF-8, so that no patch can be made of it; save it as UTF-8"}
    assert made.shortfall == "latin.py: it is not UTF-8, so that no patch can be made of it; save it as UTF-8"


async def test_a_hotspot_that_changed_since_the_audit_began_is_left(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", {"a.py": RISKY})
    found = survey(root, tmp_path)
    whole = inspected(root, tmp_path, found)
    tree(root, {"a.py": f"{RISKY}x = 1\n"})
    (tmp_path / "fixing").mkdir()
    made = fix_hotspots(whole, found, root, LIMIT, Workspace(tmp_path / "fixing"))

    assert made.output == FixProposal(left={"a.py": "a.py has changed since this audit began; audit again"})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import os\r\nx = 1\r\n", "x = 1\r\n"),  # line ends are kept
        ("\ufeffimport os\nx = 1\n", "\ufeffx = 1\n"),  # and so is the mark that it is UTF-8
        ("x = f'a'\n", "x = 'a'\n"),
        ("def f(x=[]):\n    return x\n", None),  # mending that may change what it does
        ("x = eval(y)\n", None),
    ],
)
def test_only_what_is_safe_is_mended_and_all_else_is_as_it_was(tmp_path: Path, before: str, after: str | None) -> None:
    assert mend_copies({"a.py": before}, tmp_path / "copies") == {"a.py": before if after is None else after}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x = 1\n", ""),
        ("\ufeffx = 1\n", ""),
        ("def f(:\n", "what ruff made of it cannot be used: it is not valid for Python"),
        ("x = " + "(" * 5_000, "what ruff made of it cannot be used: it is"),
    ],
)
def test_what_is_no_python_any_more_is_not_used(text: str, why: str) -> None:
    assert why_no_python(text).startswith(why)
    assert bool(why_no_python(text)) == bool(why)


async def test_fixes_with_which_nothing_gets_worse_may_stand(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", {"a.py": RISKY})
    made = await recheck(root, tmp_path, fix_of("a.py", RISKY, MENDED))

    assert [one.path for one in made.output.files] == ["a.py"]
    assert made.output.gone == {"a.py": 2}  # the import breaks a rule, and nobody uses it
    assert (made.output.refused, made.shortfall) == ({}, "")


async def test_a_fix_after_which_something_else_is_unused_is_refused_and_another_one_stands(tmp_path: Path) -> None:
    """The only use of a private function is an import that nobody needs."""
    importing = f"from app.b import _hidden as hidden\n{RISKY}"
    files = {"app/__init__.py": "", "app/b.py": "def _hidden():\n    return 1\n", "app/c.py": RISKY}
    root = tree(tmp_path / "tree", {**files, "app/a.py": importing})
    fixes = (fix_of("app/a.py", importing, MENDED), fix_of("app/c.py", RISKY, MENDED))
    made = await recheck(root, tmp_path, *fixes)

    assert [one.path for one in made.output.files] == ["app/c.py"]
    assert made.output.refused == {"app/a.py": "more is found: app/b.py: dead-code 0 → 1"}
    assert made.shortfall == "app/a.py: more is found: app/b.py: dead-code 0 → 1"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("", ""),
        ("import sys; sys.exit('2 tests failed')", " ended with exit code 1 with the fixes, and wrote: 2 tests failed"),
        ("import a, os; assert 'os' not in vars(a); assert not os.path.islink('link')", ""),  # it sees the fixes
        ("import os; assert 'SECRET_KEY' not in os.environ", ""),
        ("open('a.py', 'w').write('gone')", ""),  # a copy
        ("import time; print('x' * 40_000_000)", " wrote more than 33,554,432 bytes with the fixes, and was ended"),
    ],
)
async def test_a_command_of_the_project_decides_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, reason: str
) -> None:
    monkeypatch.setenv("SECRET_KEY", "mine")
    quiet = "import os\nx = 1\n"
    root = tree(tmp_path / "tree", {"a.py": quiet, "data/file.txt": "x"})
    (root / "link").symlink_to("/")
    before = contents(root)
    command = (sys.executable, "-c", code)
    made = await recheck(root, tmp_path, fix_of("a.py", quiet, "x = 1\n"), check=command)

    assert made.output.refused == ({"a.py": f"{' '.join(command)}{reason}"} if reason else {})
    assert [one.path for one in made.output.files] == ([] if reason else ["a.py"])
    assert contents(root) == before


async def test_a_command_that_is_not_there_says_so(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", {"a.py": RISKY})
    with pytest.raises(AgentFailed, match="no-such-command, which is to try the fixes, is not installed"):
        await recheck(root, tmp_path, fix_of("a.py", RISKY, MENDED), check=("no-such-command",))


async def test_without_a_survey_nobody_can_say_that_nothing_got_worse(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", {"a.py": RISKY})
    with pytest.raises(AgentFailed, match="no duplication survey; audit again"):
        await recheck(root, tmp_path, fix_of("a.py", RISKY, MENDED), without="duplication")


async def test_nothing_to_check_is_no_work(tmp_path: Path) -> None:
    made = await recheck(tree(tmp_path / "tree", {"a.py": "x = 1\n"}), tmp_path, check=("no-such-command",))

    assert made.output == CheckedFixes()


def checked(store: OutputStore, *fixes: Any) -> Handoffs[CheckedFixes]:
    made = CheckedFixes(files=fixes, gone={one.path: 2 for one in fixes}, refused={"z.py": "more is found"})
    return handoffs(store, {"recheck/tree": made})


def test_what_is_shown_is_what_is_done(tmp_path: Path) -> None:
    """Git, given the difference that a person saw, makes the same files."""
    texts = {"a.py": (RISKY, MENDED), "app/b b.py": ("import os\r\nx = 1", "x = 1")}
    root = tree(tmp_path / "tree", {name: before for name, (before, _) in texts.items()})
    seen = tree(tmp_path / "seen", {name: before for name, (before, _) in texts.items()})
    given = checked(OutputStore(str(tmp_path / "outputs")), *(fix_of(name, *both) for name, both in texts.items()))
    shown = difference(given)
    made = apply_fixes(given, root)
    subprocess.run(["git", "apply", "-"], cwd=seen, input=shown.encode(), check=True, timeout=60)

    assert contents(root) == contents(seen) == {name: after.encode() for name, (_, after) in texts.items()}
    assert made.output.files.keys() == texts.keys()
    assert difference(given) == shown


def test_when_one_file_is_not_as_it_was_none_is_changed(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", {"a.py": RISKY, "b.py": f"{RISKY}# mine\n"})
    before = contents(root)
    given = checked(OutputStore(str(tmp_path / "outputs")), *(fix_of(f"{one}.py", RISKY, MENDED) for one in "ab"))

    with pytest.raises(AgentFailed, match=r"nothing was written: b\.py was changed meanwhile; run again") as error:
        apply_fixes(given, root)
    assert contents(root) == before
    assert error.value.next_step.startswith("begin a new run")


def test_the_report_says_what_may_be_changed(tmp_path: Path) -> None:
    store, fix = OutputStore(str(tmp_path / "outputs")), fix_of("a.py", RISKY, MENDED)
    proposed = handoffs(store, {"fix/tree": FixProposal(files=(fix,), left={"latin.py": "it is not UTF-8"})})
    refused = {"latin.py": "it is not UTF-8", "z.py": "more is found"}

    assert fixes_of(proposed, checked(store, fix)) == FixReport(gone={"a.py": 2}, refused=refused, patch=fix.patch)
    assert fixes_of(proposed, checked(store)) == FixReport(nothing="nothing could be mended safely", refused=refused)


def test_the_report_says_why_nothing_may_be_changed_where_that_was_not_found_out(tmp_path: Path) -> None:
    lost = Missing(task_id="recheck/tree", producer="recheck_fixes", reason="ruff is not installed")
    store = OutputStore(str(tmp_path / "outputs"))
    proposed = handoffs(store, {"fix/tree": FixProposal()})

    assert fixes_of(proposed, handoffs(store, {}, (lost,))) == FixReport(nothing="ruff is not installed")
    assert fixes_of(Handoffs(), Handoffs()) is None  # an audit that was not to mend


@pytest.mark.parametrize(
    ("output", "reasons", "outcome"),
    [
        ({"rank": {}, "apply": {"apply/tree": {}}}, {}, FixOutcome(applied=True, why_not="")),
        (
            {"rank": {}, "apply": None},
            {"inspect/a.py": "it is gone", "apply/tree": "it was denied"},
            FixOutcome(applied=False, why_not="it was denied"),
        ),
        ({"root": "/code"}, {}, FixOutcome(applied=False, why_not="it was not begun")),
    ],
)
def test_a_report_that_is_written_says_what_became_of_it(
    output: Any, reasons: dict[str, str], outcome: FixOutcome
) -> None:
    missing = tuple(Missing(task_id=task, producer=task, reason=reason) for task, reason in reasons.items())
    run = run_view(output=output).model_copy(update={"missing": missing})

    assert outcome_of(run, FixReport(gone={"a.py": 1})) == outcome
    assert outcome_of(run, None) is None
    assert audit_in(output) == output.get("rank", output)
