from pathlib import Path

import pytest

from contracts.modules import Severity
from contracts.surveys import FileChanges, Links, LintSurvey
from echelon import AgentFailed
from tasks.dead_code import dead_code
from tasks.duplicates import duplication
from tasks.importing import import_roots, imports
from tasks.linting import lint
from tasks.tools import run_tool, unread_concerns
from tasks.versioning import Commit, follow_renames, history, parse_log
from tests.unit.audit.building import git, hostile, surveyed, tree

TREE_SURVEYS = [lint, dead_code, duplication, imports]


@pytest.mark.parametrize("survey", TREE_SURVEYS, ids=lambda survey: survey.name)
def test_a_survey_of_a_hostile_tree_sees_what_can_be_seen(tmp_path: Path, survey) -> None:
    outcome = surveyed(survey, hostile(tmp_path / "tree"), tmp_path / "copy")

    assert {"pipe.py", "utf_16.py", "does_not_parse.py", "dangling.py"} <= outcome.output.unread.keys()
    assert "empty.py" not in outcome.output.unread
    assert outcome.concerns == ()  # the inspections of those modules fail with the reason


@pytest.mark.parametrize("survey", TREE_SURVEYS, ids=lambda survey: survey.name)
def test_a_survey_of_a_tree_without_python_finds_nothing_and_complains_of_nothing(tmp_path: Path, survey) -> None:
    outcome = surveyed(survey, tree(tmp_path / "tree", {"notes.txt": ""}), tmp_path / "copy")

    assert (outcome.output.modules, outcome.concerns) == ({}, ())


def test_lint_finds_broken_rules_with_their_severity_whatever_the_project_has_configured(tmp_path: Path) -> None:
    configured = "[tool.ruff.lint]\nselect = []\n"
    tree(
        tmp_path / "tree",
        {"m.py": "import os\n\nx = eval(input())\n", "fine.py": "x = 1\n", "pyproject.toml": configured},
    )
    found = surveyed(lint, tmp_path / "tree", tmp_path / "copy").output.modules

    assert [(hit.rule, hit.line, hit.severity) for hit in found["m.py"]] == [
        ("F401", 1, Severity.LOW),
        ("S307", 3, Severity.CRITICAL),
    ]
    assert "fine.py" not in found


def test_ignored_and_hidden_files_are_looked_at_too(tmp_path: Path) -> None:
    tree(tmp_path / "tree", {".gitignore": "*.py\n", ".hidden/m.py": "eval('1')\n"})

    assert ".hidden/m.py" in surveyed(lint, tmp_path / "tree", tmp_path / "copy").output.modules


def test_dead_code_is_what_nobody_uses_unless_it_may_be_used_from_outside(tmp_path: Path) -> None:
    functions = ("def _unused():", "def public():", "@print\ndef _hook():")
    source = "import os\n\n\n" + "\n\n".join(f"{function}\n    return 1\n" for function in functions)
    tree(tmp_path / "tree", {"m.py": source})
    found = surveyed(dead_code, tmp_path / "tree", tmp_path / "copy").output.modules["m.py"]

    assert [(item.what, item.name, item.line) for item in found] == [("import", "os", 1), ("function", "_unused", 4)]


def test_duplication_names_both_places(tmp_path: Path) -> None:
    body = "\n".join(f"    y{n} = x * {n} + {n * n}" for n in range(12))
    function = f"def f(x):\n{body}\n    return y0\n"
    tree(tmp_path / "tree", {"a.py": function, "b.py": f"z = 1\n\n\n{function}"})
    survey = surveyed(duplication, tmp_path / "tree", tmp_path / "copy").output

    assert [other for clone in survey.modules["a.py"] for other in clone.others] == ["b.py:5"]
    assert survey.modules.keys() == {"a.py", "b.py"}
    assert survey.percent > 40


def test_imports_give_cycles_reach_and_packages(tmp_path: Path) -> None:
    files = {
        "src/app/__init__.py": "",
        "src/app/base.py": "",
        "src/app/one.py": "from app import two\nimport app.base\n",
        "src/app/two.py": "def f():\n    from app import one\n",
        "src/web/__init__.py": "",
        "src/web/page.py": "from app.one import x\n",
    }
    survey = surveyed(imports, tree(tmp_path / "tree", files), tmp_path / "copy").output

    assert survey.cycles == (("src/app/one.py", "src/app/two.py"),)
    assert survey.modules["src/app/base.py"] == Links(imports=0, imported_by=1, reach=3, cycle=None)
    assert survey.modules["src/app/one.py"].reach == 2  # two.py in its cycle, and page.py
    assert survey.packages["web"].imports == ("app",)
    assert survey.packages["app"].imported_by == ("web",)


def test_imports_are_found_below_the_root_of_a_package(tmp_path: Path) -> None:
    tree(
        tmp_path / "app",
        {"__init__.py": "", "a.py": "from app.core import b\n", "core/__init__.py": "", "core/b.py": ""},
    )

    assert surveyed(imports, tmp_path / "app", tmp_path / "copy").output.modules["core/b.py"].imported_by == 1


def test_imports_that_only_type_checkers_see_make_no_cycle(tmp_path: Path) -> None:
    lazy = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\n"
    survey = surveyed(imports, tree(tmp_path / "tree", {"a.py": "import b\n", "b.py": lazy}), tmp_path / "copy").output

    assert survey.cycles == ()


def test_import_roots_are_above_the_outermost_packages_and_beside_scripts() -> None:
    names = {"libs/x/src/app/__init__.py": 0, "libs/x/src/app/core/__init__.py": 0, "tools/run.py": 0}

    assert import_roots(names) == [".", "src", "tools", "libs/x/src"]


def log(*commits: tuple[str, int, list[str]]) -> str:
    return "".join(f"\x01{who}\t{at}\0" + "".join(f"{change}\0" for change in changes) for who, at, changes in commits)


def test_a_log_is_read_with_renames_and_binary_files() -> None:
    text = log(("ann", 20, ["\n1\t2\tb.py", "0\t0\t\0a.py\0b.py"]), ("bob", 10, ["-\t-\timage.png"]))

    assert list(parse_log(text)) == [
        Commit("ann", 20, {"b.py": 3, "a.py\0b.py": 0}),
        Commit("bob", 10, {"image.png": 0}),
    ]


def test_changes_before_a_rename_count_for_the_name_of_today() -> None:
    commits = [Commit("x", 3, {"b.py\0c.py": 1}), Commit("x", 2, {"a.py\0b.py": 2}), Commit("x", 1, {"a.py": 4})]

    assert [commit.lines for commit in follow_renames(commits)] == [{"c.py": 1}, {"c.py": 2}, {"c.py": 4}]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tree(tmp_path / "repository", {"lib/old.py": "x = 1\ny = 2\nz = 3\n", "lib/with.py": "", "other/o.py": ""})
    git(root, "init", "-q")
    for number, author in enumerate(["ann", "bob", "ann", "ann"]):
        tree(root, {"lib/with.py": f"n = {number}\n"})
        with (root / "lib" / "old.py").open("a") as file:
            file.write(f"line_{number} = {number}\n")
        git(root, "add", "-A")
        git(root, "commit", "-qm", str(number), author=author)
    git(root, "mv", "lib/old.py", "lib/new.py")
    git(root, "commit", "-qm", "rename")
    return root


def test_history_counts_commits_and_authors_across_renames_below_the_audited_folder(repository: Path) -> None:
    survey = history(path=repository / "lib", exclude=()).output

    assert survey.commits == 5
    assert survey.modules.keys() == {"new.py", "with.py"}
    assert survey.modules["new.py"] == FileChanges(
        commits=5, lines=7, authors=2, days_old=0, days_quiet=0, together_with=("with.py",)
    )


def test_without_git_there_is_a_note_and_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    survey = history(path=tmp_path, exclude=()).output

    assert survey.modules == {}
    assert "no git history" in survey.note


def test_a_repository_without_commits_is_a_note_too(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")

    assert "no git history" in history(path=tmp_path, exclude=()).output.note


def test_a_module_that_only_one_tool_cannot_take_is_a_concern_of_that_tool() -> None:
    survey = LintSurvey(unread={"known.py": "it is a link", "odd.py": "arid: too odd"})

    assert [concern.evidence for concern in unread_concerns("duplication", survey, told={"known.py"})] == [
        ("odd.py: arid: too odd",)
    ]


def test_a_tool_that_is_missing_fails_or_hangs_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(AgentFailed, match=r"is not installed; .*pip install 'echelon\[audit\]'"):
        run_tool("no-such-tool", cwd=tmp_path)
    with pytest.raises(AgentFailed, match=r"ended with exit code \d+ and wrote: "):
        run_tool("ruff", "no-such-command", cwd=tmp_path)
    with pytest.raises(AgentFailed, match=r"took longer than 0\.01 s") as late:
        run_tool("python", "-c", "import time; time.sleep(60)", cwd=tmp_path, timeout=0.01)
    assert late.value.passing
