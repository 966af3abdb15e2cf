"""How findings stand in audits that keep what they may, as people run them: the command line, a project of theirs."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from echelon.cli.starter import starter_files
from tests.unit.audit.building import git, tree

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]

RISKY = "x = eval(input())\n"


class Project:
    """A project that audits a tree, with a home of its own."""

    def __init__(self, folder: Path, files: dict[str, str]) -> None:
        self.code = tree(folder / "project", dict(starter_files("project", "audit")))
        self.root = tree(folder / "tree", dict(files))
        self._folder = folder
        git(self.root, "init", "-q")
        self.commit()

    def commit(self) -> None:
        git(self.root, "add", "-A")
        git(self.root, "commit", "-qm", "more")

    def audit(self, *options: str) -> dict[str, Any]:
        """Run the audit; return the JSON document."""
        out, home = self._folder / "report", self._folder / "home"
        where = ("--param", f"path={self.root}", "--out", str(out))
        done = subprocess.run(
            [sys.executable, "-m", "echelon", "run", "flows/audit.py:audit", "--json", *where, *options],
            cwd=self.code,
            env={**os.environ, "ECHELON_HOME": str(home), "ECHELON_PICTURE": "false"},
            timeout=200,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def sarif(self) -> dict[str, str]:
        """Return the baseline state of what is in the SARIF file of the last audit, by module."""
        results = json.loads((self._folder / "report/audit.sarif").read_text())["runs"][0]["results"]
        return {
            one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]: one["baselineState"]
            for one in results
            if one["ruleId"] == "S307"
        }

    def replace(self, file: str, old: str, new: str) -> None:
        """Change the code of the audit itself."""
        text = (self.code / file).read_text()
        assert old in text
        (self.code / file).write_text(text.replace(old, new))


def states(run: dict[str, Any]) -> dict[str, str]:
    """Return how each call of eval stands, by its module."""
    return {one["path"]: one["state"] for one in run["output"]["findings"] if one["rule"] == "S307"}


def inspected(run: dict[str, Any]) -> list[str]:
    """Return the modules that were inspected in this run, and not kept."""
    items = run["items"]["inspect"]
    return sorted(task.removeprefix("inspect/") for task in {*items["new"], *items["done"]} - {*items["kept"]})


def kept(run: dict[str, Any], phase: str) -> set[str]:
    return {task.rpartition("/")[2] for task in run["items"][phase]["kept"]}


def test_what_is_renamed_deleted_corrected_or_excluded_stands_as_it_should_and_nothing_else_is_inspected(
    tmp_path: Path,
) -> None:
    names = ("app/calm.py", "app/fixed.py", "app/gone.py", "app/old.py", "lib/far.py")
    project = Project(tmp_path, {name: f"# {name}\n{RISKY}" for name in names})
    project.audit()
    same = project.audit()

    assert (inspected(same), set(states(same).values())) == ([], {"open"})
    assert project.sarif() == dict.fromkeys(names, "unchanged")

    (project.root / "app/old.py").rename(project.root / "app/renamed.py")
    (project.root / "app/gone.py").unlink()
    tree(project.root, {"app/fixed.py": "x = 1\n", "app/added.py": RISKY})
    edited = project.audit("--param", 'exclude=["lib", ".git"]')

    assert inspected(edited) == ["app/added.py", "app/fixed.py", "app/renamed.py"]
    assert states(edited) == {
        "app/added.py": "new",
        "app/calm.py": "open",
        "app/fixed.py": "closed",
        "app/gone.py": "closed",
        "app/renamed.py": "open",
        "lib/far.py": "out of scope",
    }
    moved = {one["path"]: one["moved_from"] for one in edited["output"]["findings"] if one["moved_from"]}
    assert moved == {"app/renamed.py": "app/old.py"}
    assert project.sarif() == {
        "app/added.py": "new",
        "app/calm.py": "unchanged",
        "app/renamed.py": "unchanged",
        "lib/far.py": "unchanged",
    }

    project.commit()
    tree(project.root, {"app/calm.py": f"{RISKY}y = exec(input())\n"})
    part = project.audit("--changed-since", "HEAD")
    expected = {"app/added.py": "kept", "app/calm.py": "open", "app/renamed.py": "kept", "lib/far.py": "kept"}

    assert inspected(part) == ["app/calm.py"]
    assert states(part) == expected

    whole = project.audit()
    full = project.audit("--fresh")

    assert inspected(whole) == [], "lib was inspected before it was excluded, calm.py in the part"
    assert states(whole) == states(full) == dict.fromkeys(expected, "open")
    assert whole["output"]["hotspots"] == full["output"]["hotspots"]


def test_another_set_of_rules_or_another_way_to_judge_lets_nothing_stand_that_it_decides(tmp_path: Path) -> None:
    project = Project(tmp_path, {"a.py": RISKY, "b.py": "import os\n", "c.py": "x = 1\n"})
    project.audit()

    project.replace("tasks/severities.py", 'IGNORE = "S101,', 'IGNORE = "S307,S101,')
    ruled = project.audit()

    assert "lint" not in kept(ruled, "survey")
    assert ruled["items"]["scan"]["done"] == [], "no rule of ruff is looked for in a scan"
    assert states(ruled) == {"a.py": "closed"}
    assert "a.py" in inspected(ruled)

    project.replace("tasks/severities.py", 'IGNORE = "S307,S101,', 'IGNORE = "S101,')
    project.replace("tasks/severities.py", '"S307": Severity.CRITICAL', '"S307": Severity.LOW')
    judged = project.audit()

    severities = {one["path"]: one["severity"] for one in judged["output"]["findings"] if one["rule"] == "S307"}
    assert (severities, inspected(judged)) == ({"a.py": "low"}, ["a.py", "b.py", "c.py"])

    project.replace("tasks/scanning/usage.py", "SURE = 80", "SURE = 95")
    surer = project.audit()
    full = project.audit("--fresh")

    assert (kept(surer, "scan"), inspected(surer)) == (set(), ["b.py"])
    assert surer["output"]["hotspots"] == full["output"]["hotspots"]
    dead = [(one["path"], one["state"]) for one in surer["output"]["findings"] if one["rule"] == "dead-code"]
    assert dead == [("b.py", "closed")]
