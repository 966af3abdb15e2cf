"""The audit as people run it: the command line, a real embedded server, a real tree."""

import asyncio
import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from echelon.journal.journal import SqlJournal
from echelon.model.handoff import Handoff
from echelon.model.run import RunRecord, StepRecord
from echelon.settings import Settings
from tests.unit.audit.building import BROKEN, git, hostile, tree

PROJECT = Path(__file__).parents[2]
SERVER_STARTS_SECONDS = 180

pytestmark = [pytest.mark.engine, pytest.mark.timeout(SERVER_STARTS_SECONDS + 60)]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


#: The envelope, word for word (C1).
HANDOFF_FIELDS = {
    *("task_id", "status", "summary", "output_location", "dependencies", "next_steps"),
    *("producer", "assignment_id", "schema_version", "confidence", "usage", "concerns", "error", "attempts"),
    *("fallback", "received", "repairs", "wrapped_up", "shortfall", "stopped_by", "rounds"),
    "kept_from",
    "replicas",
    "verification",
    "overruled",
    "outdated",
}


async def recorded(home: Path, run_id: str) -> tuple[RunRecord, tuple[StepRecord, ...]]:
    """Return a run and its steps from the journal."""
    async with SqlJournal.open(Settings(home=home)) as journal:
        return await journal.run(run_id), await journal.steps(run_id)


def audit(root: Path, home: Path, *options: str) -> tuple[int, dict[str, Any], Path]:
    """Run the audit; return the exit code, the JSON document and the folder of the report."""
    out = home / "report"
    command = [Path(sysconfig.get_path("scripts")) / "echelon", "run", "flows/audit.py:audit", "--json"]
    done = subprocess.run(
        [sys.executable, *command, "--param", f"path={root}", "--out", out, *options],
        cwd=PROJECT,
        env={**os.environ, "ECHELON_HOME": str(home), "GIT_CEILING_DIRECTORIES": str(root.parent)},
        timeout=SERVER_STARTS_SECONDS,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout), out


def test_a_code_base_is_audited_ranked_and_compared_with_the_last_run(tmp_path: Path, home: Path) -> None:
    files = {f"app/{name}/__init__.py": "" for name in ("core", "web")}
    files |= {
        "app/__init__.py": "",
        "app/core/base.py": "X = 1\n",
        "app/web/page.py": "from app.core import base\n\nX = base.X\n",
    }
    root = tree(tmp_path / "tree", files)
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    first_code, first, out = audit(root, home)
    tree(root, {"app/core/base.py": "X = eval(input())\n"})
    second_code, second, _ = audit(root, home)

    assert (first_code, first["status"], first["output"]["hotspots"]) == (0, "completed", [])
    assert list(home.rglob("base.py")) == [], "no copy of what was audited is kept"
    assert (out / "report.html").read_text().startswith("<!doctype html>")
    assert second_code == 0
    assert second["output"]["hotspots"][0]["path"] == "app/core/base.py"
    assert [change["path"] for change in second["output"]["comparison"]["worse"]] == ["app/core/base.py"]
    assert [record["concern"]["about"] for record in second["concerns"]] == ["app/core/base.py"]

    record, steps = asyncio.run(recorded(home, second["run_id"]))
    assert all(set(step.handoff.model_dump()) == HANDOFF_FIELDS for step in steps)
    assert all(Handoff.model_validate_json(step.handoff.model_dump_json()) == step.handoff for step in steps)
    assert record.plan is not None
    assert {task.id: record.plan.owners[task.id] for task in record.plan.tasks} == record.plan.agent_of


def states(run: dict[str, Any]) -> dict[tuple[str, str], str]:
    """Return how each finding stands, by its module and rule."""
    return {(one["path"], one["rule"]): one["state"] for one in run["output"]["findings"]}


def test_an_audit_of_a_part_closes_nothing_that_it_did_not_look_at(tmp_path: Path, home: Path) -> None:
    """A whole audit, one of what changed, one with a folder excluded, and a whole one again."""
    risky = "x = eval(input())\n"
    root = tree(tmp_path / "tree", {f"app/{name}.py": f"# {name}\n{risky}" for name in ("a", "b", "c", "d")})
    tree(root, {"lib/e.py": risky})
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    whole = states(audit(root, home)[1])
    tree(root, {"app/a.py": "x = 1\n"})
    (root / "app/b.py").rename(root / "app/moved.py")
    (root / "app/c.py").unlink()
    _, run, out = audit(root, home, "--changed-since", "HEAD")
    sarif = json.loads((out / "audit.sarif").read_text())["runs"][0]["results"]
    summary = (out / "summary.md").read_text()
    narrow = states(audit(root, home, "--param", 'exclude=["lib", ".git"]')[1])
    (root / "app/d.py").write_text("x = 1\n")
    again = states(audit(root, home)[1])

    assert set(whole.values()) == {"open"}
    assert sorted(tile["module"]["path"] for tile in run["output"]["tiles"]) == ["app/a.py", "app/moved.py"]
    assert states(run) == {
        ("app/a.py", "S307"): "closed",
        ("app/moved.py", "S307"): "open",
        ("app/c.py", "S307"): "closed",
        ("app/d.py", "S307"): "kept",
        ("lib/e.py", "S307"): "kept",
    }
    reasons = {one["path"]: one["reason"] for one in run["output"]["findings"]}
    assert reasons["app/c.py"] == "its file is gone"
    assert reasons["lib/e.py"] == "it has not changed since HEAD"
    assert run["output"]["comparison"]["moved"] == {"app/b.py": "app/moved.py"}
    assert sorted(one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in sarif) == [
        *("app/d.py", "app/moved.py", "lib/e.py")
    ]
    assert "| 0 | 2 | 1 | 2 | 0 |" in summary
    assert narrow == {
        ("app/moved.py", "S307"): "open",
        ("app/d.py", "S307"): "open",
        ("lib/e.py", "S307"): "out of scope",
    }
    assert again == {("app/moved.py", "S307"): "open", ("app/d.py", "S307"): "closed", ("lib/e.py", "S307"): "open"}


def test_a_hostile_tree_is_audited_as_far_as_it_can_be(tmp_path: Path, home: Path) -> None:
    code, run, out = audit(hostile(tmp_path / "tree"), home)
    missing = {one["task_id"].removeprefix("inspect/") for one in run["missing"]}

    assert (code, run["status"]) == (3, "partial")
    assert {f"{name}.py" for name in BROKEN} | {
        "self.py",
        "dangling.py",
        "alias.py",
        "outside.py",
        "pipe.py",
    } <= missing
    assert "empty.py" not in missing
    assert run["output"]["hotspots"][0]["path"] == "<img src=x onerror=alert(1)>.py"
    assert "<img" not in (out / "report.html").read_text()


def test_a_tree_without_python_is_done_at_once(tmp_path: Path, home: Path) -> None:
    code, run, _ = audit(tree(tmp_path / "tree", {"notes.txt": ""}), home)

    assert (code, run["missing"]) == (0, [])
    assert "no Python files" in run["output"]["verdict"][0]
