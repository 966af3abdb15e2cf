"""The workflow for GitHub, read as GitHub reads it, and its steps done here as a runner does them."""

import json
import os
import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml

from echelon.cli.starter import starter_files
from tests.unit.audit.building import git, tree

WORKFLOW = Path(__file__).parents[3] / "deployments" / "github-audit.yml"
PINNED = re.compile(r"[\w-]+/[\w/-]+@[0-9a-f]{40}")

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]


def workflow() -> dict[str, Any]:
    return yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))


def steps() -> list[dict[str, Any]]:
    (job,) = workflow()["jobs"].values()
    return job["steps"]


def named(name: str) -> dict[str, Any]:
    return next(step for step in steps() if step.get("name") == name)


class Runner:
    """A project that is audited, with what a runner gives to its steps."""

    def __init__(self, folder: Path) -> None:
        self.root = tree(folder / "project", dict(starter_files("project", "audit")))
        tree(self.root, {"app/risky.py": "x = eval(input())\n", "app/calm.py": "y = eval(input())\n"})
        git(self.root, "init", "-q", "-b", "main")
        git(self.root, "add", "-A")
        git(self.root, "commit", "-qm", "first")
        self.summary = folder / "summary.md"
        self._temp = folder / "temp"

    def do(self, name: str, base: str = "") -> int:
        """Do a `run:` step, with expressions replaced as on GitHub; return its exit code."""
        step = named(name)
        values = {"runner.temp": str(self._temp), "github.event.pull_request.base.sha": base}
        given = {key: self._filled(value, values) for key, value in step.get("env", {}).items()}
        scripts = sysconfig.get_path("scripts")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.root,
            env={
                **os.environ,
                **given,
                "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
                "GITHUB_STEP_SUMMARY": str(self.summary),
            },
            timeout=200,
            check=False,
        )
        return done.returncode

    def audit(self, base: str = "") -> int:
        code = self.do("Audit", base)
        assert self.do("Sum up") == 0
        return code

    @property
    def sarif(self) -> dict[str, Any]:
        return json.loads((self.root / "audit-report/audit.sarif").read_text())["runs"][0]

    @staticmethod
    def _filled(text: str, values: dict[str, str]) -> str:
        return re.sub(r"\$\{\{ ([\w.]+) \}\}", lambda found: values[found[1]], text)


def test_every_action_is_pinned_and_nothing_but_findings_may_be_written() -> None:
    used = [step["uses"] for step in steps() if "uses" in step]

    assert [action for action in used if not PINNED.fullmatch(action)] == []
    assert workflow()["permissions"] == {"contents": "read", "security-events": "write"}
    assert all("${{" not in step.get("run", "") for step in steps()), "what an event says is never part of a script"


def test_what_earlier_runs_found_is_kept_where_the_audit_looks_for_it() -> None:
    home = named("Audit")["env"]["ECHELON_HOME"]
    caches = [step["with"] for step in steps() if "actions/cache" in step.get("uses", "")]

    assert [cache["path"] for cache in caches] == [home, home]
    assert caches[0]["key"] == caches[1]["key"]
    assert "github.run_id" in caches[1]["key"], "a cache is never written twice"


def test_the_steps_behind_an_audit_that_failed_are_done_all_the_same() -> None:
    names = [step.get("name", "") for step in steps()]
    behind = steps()[names.index("Audit") + 1 :]

    assert behind
    assert all("!cancelled()" in step["if"] for step in behind)
    assert "continue-on-error" not in named("Audit")


def test_a_pull_request_is_audited_as_far_as_it_changes_something(tmp_path: Path) -> None:
    runner = Runner(tmp_path)
    whole = runner.audit()
    git(runner.root, "checkout", "-qb", "ours")
    tree(runner.root, {"app/new.py": "z = eval(input())\n"})
    git(runner.root, "add", "app/new.py")
    git(runner.root, "commit", "-qm", "more")
    part = runner.audit(base="main")
    results = {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]: result["baselineState"]
        for result in runner.sarif["results"]
        if result["ruleId"] == "S307"
    }

    assert (whole, part) == (0, 0)
    assert results == {"app/calm.py": "unchanged", "app/risky.py": "unchanged", "app/new.py": "new"}
    assert "1 module in 1 package (1 lines) was inspected" in runner.summary.read_text()
    assert runner.summary.read_text().count("## Audit: completed") == 2


def test_a_file_that_cannot_be_audited_fails_the_job_and_is_in_the_summary(tmp_path: Path) -> None:
    runner = Runner(tmp_path)
    tree(runner.root, {"app/broken.py": "def f(:\n"})

    assert runner.audit() == 3
    assert "### Missing" in runner.summary.read_text()
    assert not runner.sarif["invocations"][0]["executionSuccessful"]


def test_a_commit_that_git_does_not_know_fails_the_job(tmp_path: Path) -> None:
    runner = Runner(tmp_path)

    assert runner.audit(base="0" * 40) == 2
    assert not runner.summary.exists()
