"""An audit mends its hotspots: on a copy first, then in the tree, once a person has approved just that (O5, X13)."""

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.starters.shell import Shell
from tests.unit.audit.building import tree

AUDIT = "flows/audit.py:audit"

#: Long enough to be a hotspot, and nothing in it is urgent.
DEEP = "\n\ndef deep(a):\n" + "".join(f"    if a == {n}:\n        return {n}\n" for n in range(14))
BEFORE = f"import os\nimport sys\n{DEEP}\n\nprint(f'x')\n"
MENDED = f"{DEEP}\n\nprint('x')\n"

#: Its only use of what is private elsewhere is an import that nobody needs.
TANGLED = {
    "app/__init__.py": "",
    "app/used.py": "def _hidden():\n    return 1\n",
    "app/uses.py": f"from app.used import _hidden as hidden\n{DEEP}",
}


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "home")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tree(tmp_path / "tree", {"orders.py": BEFORE, "calm.py": "import os\n", "notes.txt": "x\n"})


def audit(shell: Shell, root: Path, *options: str, code: int) -> Any:
    return shell.document("run", AUDIT, "--param", f"path={root}", "--param", "fix=true", *options, code=code)


def the_gate(shell: Shell) -> Any:
    (gate,) = shell.document("gates")["gates"]
    return gate


def contents(root: Path) -> dict[str, str]:
    return {file.relative_to(root).as_posix(): file.read_text() for file in root.rglob("*") if file.is_file()}


def test_hotspots_are_mended_when_a_person_has_approved_what_the_gate_shows(
    tmp_path: Path, shell: Shell, root: Path
) -> None:
    before, out = contents(root), tmp_path / "out"
    asked = audit(shell, root, "--out", str(out), code=4)
    gate = the_gate(shell)

    assert contents(root) == before
    assert list((tmp_path / "home").rglob("*.py")) == [], "no copy of what was audited is kept"
    assert (asked["status"], [one["task_id"] for one in asked["missing"]]) == ("waiting", ["apply/tree"])
    assert asked["output"]["rank"]["hotspots"][0]["path"] == "orders.py"  # there is a report to decide by
    assert gate["action"]["preview"] == (out / "fixes.patch").read_text() == asked["output"]["rank"]["fixes"]["patch"]
    assert gate["action"]["preview"].startswith("--- a/orders.py\n+++ b/orders.py\n@@ -1,5 +1,3 @@\n-import os\n")
    assert "Nothing was changed: " in (out / "report.md").read_text()

    shell.document("gates", "approve", gate["id"], "--reason", "seen")
    done = shell.document("resume", asked["run_id"])  # where the report goes is on record
    assert done["report"] == str(out)

    assert done["status"] == "completed"
    assert contents(root) == {**before, "orders.py": MENDED}
    assert done["output"]["rank"] == asked["output"]["rank"]
    assert done["output"]["apply"]["apply/tree"]["files"].keys() == {"orders.py"}
    assert "These files were changed" in (out / "report.md").read_text()

    again = shell.document("run", AUDIT, "--param", f"path={root}", "--param", "fix=true")
    states = {one["rule"]: one["state"] for one in again["output"]["findings"] if one["path"] == "orders.py"}
    assert states == {"complexity": "open"} | dict.fromkeys(("F401", "F541", "dead-code"), "closed")
    assert again["output"]["fixes"]["nothing"] == "nothing could be mended safely"
    assert shell.document("gates")["gates"] == []


def test_what_was_denied_is_not_done_and_the_report_is_there(tmp_path: Path, shell: Shell, root: Path) -> None:
    before, out = contents(root), tmp_path / "out"
    asked = audit(shell, root, code=4)
    shell.document("gates", "deny", the_gate(shell)["id"], "--reason", "not today")
    ended = shell.document("resume", asked["run_id"], "--out", str(out), code=3)

    assert contents(root) == before
    assert ended["output"]["rank"] == asked["output"]["rank"]
    assert "not today" in (out / "report.md").read_text()


def test_a_file_that_changed_after_the_approval_keeps_everything_as_it_is(shell: Shell, root: Path) -> None:
    asked = audit(shell, root, code=4)
    shell.document("gates", "approve", the_gate(shell)["id"], "--reason", "seen")
    mine = f"{BEFORE}# mine\n"
    tree(root, {"orders.py": mine})
    ended = shell.document("resume", asked["run_id"], code=3)

    assert contents(root)["orders.py"] == mine
    reasons = [one["reason"] for one in ended["missing"]]
    assert any("nothing was written: orders.py was changed meanwhile; run again" in one for one in reasons), reasons
    said = shell.call("resume", asked["run_id"]).stdout.splitlines()
    assert "begin a new run, which looks at the files as they are now: resuming this one ends the same" in said
    assert [one for one in said if one.startswith("to continue with what is missing")] == []


def test_fixes_that_make_something_worse_are_refused_and_nobody_is_asked(tmp_path: Path, shell: Shell) -> None:
    root = tree(tmp_path / "tree", TANGLED)
    before = contents(root)
    ended = audit(shell, root, code=3)

    assert (ended["status"], shell.document("gates")["gates"]) == ("partial", [])
    assert contents(root) == before
    assert ended["output"]["fixes"]["refused"] == {"app/uses.py": "more is found: app/used.py: dead-code 0 → 1"}
    assert ended["output"]["fixes"]["nothing"] == "nothing could be mended safely"


def test_where_one_file_is_refused_the_others_are_changed_when_somebody_says_that_this_is_enough(
    tmp_path: Path, shell: Shell, root: Path
) -> None:
    before = contents(tree(root, TANGLED))
    asked = audit(shell, root, code=4)
    gate = the_gate(shell)
    refused = shell.call("gates", "approve", gate["id"], "--reason", "seen")
    shell.document("gates", "approve", gate["id"], "--partial", "--reason", "seen")
    ended = shell.document("resume", asked["run_id"], code=3)

    assert (
        "not all of its inputs are there (recheck/tree: app/uses.py: more is found" in refused.stdout + refused.stderr
    )
    assert contents(root) == {**before, "orders.py": MENDED}
    assert (ended["status"], [one["task_id"] for one in ended["missing"]]) == ("partial", ["recheck/tree"])


@pytest.mark.parametrize(("code", "fails"), [("raise SystemExit('2 tests failed')", True), ("import orders", False)])
def test_a_command_of_the_project_decides_whether_anybody_is_asked(
    shell: Shell, root: Path, code: str, fails: bool
) -> None:
    before, command = contents(root), f'{sys.executable} -c "{code}"'
    ended = audit(shell, root, "--param", f"check={command}", code=3 if fails else 4)
    refused = (ended["output"] if fails else ended["output"]["rank"])["fixes"]["refused"]

    assert contents(root) == before
    assert ("2 tests failed" in refused["orders.py"]) if fails else (refused == {})
    assert len(shell.document("gates")["gates"]) == (0 if fails else 1)


def test_an_urgent_finding_is_disposed_of_before_anything_is_changed(shell: Shell, root: Path) -> None:
    tree(root, {"urgent.py": "x = eval(input())\n"})
    asked = audit(shell, root, code=4)
    gate = the_gate(shell)
    (concern,) = gate["concerns"]
    refused = shell.call("gates", "approve", gate["id"], "--reason", "seen")
    shell.document("resume", asked["run_id"], code=4)
    still = contents(root)["orders.py"]
    dispose = ("--as", "accepted", "--by", "mia", "--reason", "it reads our own files only")
    shell.document("concerns", "dispose", concern, *dispose)
    shell.document("gates", "approve", gate["id"], "--reason", "seen")
    shell.document("resume", asked["run_id"])

    assert refused.returncode != 0
    assert f"come first: {concern};" in refused.stderr + refused.stdout
    assert still == BEFORE
    assert contents(root)["orders.py"] == MENDED


def test_an_audit_that_is_not_to_mend_has_nothing_of_it(shell: Shell, root: Path) -> None:
    plan = shell.document("plan", AUDIT, "--param", f"path={root}")
    done = shell.document("run", AUDIT, "--param", f"path={root}")

    assert {one["name"] for one in plan["phases"]} == {"scan", "survey", "inspect", "rank"}
    assert [one for one in plan["findings"] if one["where"] in {"fix", "recheck", "apply"}] == []
    assert {one["name"] for one in shell.document("show", done["run_id"])["phases"]} == {
        one["name"] for one in plan["phases"]
    }
    pushed = [one for one in done["exceptions"] if one["trigger"] not in {"late", "at_risk"}]  # the machine may be busy
    assert (done["output"]["fixes"], pushed) == (None, [])
    assert done["launched"] == done["measures"]["agents"] + 2  # the items of a phase, and one integration
