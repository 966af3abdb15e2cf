import json
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from contracts.inspections import Inspection
from contracts.modules import Kind
from contracts.surveys import Clone, DeadCodeSurvey, DeadItem, DuplicationSurvey, ImportSurvey, Links, LintSurvey
from echelon import AgentFailed
from echelon.agents.processes.wire import pack, unpack
from echelon.journal.outputs import OutputStore
from echelon.model.concern import Route
from echelon.model.handoff import Missing
from tasks.discovery import DEFAULT_EXCLUDE
from tasks.inspecting import inspect_module
from tasks.inventory import inventory
from tasks.linting import lint
from tasks.lookup import survey_of
from tasks.measuring import measure
from tasks.shares import inspections
from tests.unit.audit.building import LIMIT, handoffs, hostile, surveyed, tree

RISKY = 'import os\n\nPASSWORD = "hunter2"\n\n\ndef go(cmd):\n    os.system(cmd)\n    return eval(cmd)\n'


def shares(store: OutputStore, root: Path, surveys: dict[str, Any] | None = None) -> dict[str, Inspection]:
    """Return what the inspections of a tree are given, by module."""
    listed = inventory(path=root, exclude=DEFAULT_EXCLUDE, max_bytes=LIMIT, changed_since=None)
    found = inspections(handoffs(store, {"survey/inventory": listed, **(surveys or {})}))
    return {one.module.path: one for one in found}


def inspect(store: OutputStore, root: Path, path: str, surveys: dict[str, Any] | None = None) -> Any:
    return inspect_module(shares(store, root, surveys)[path], path=root, max_bytes=LIMIT)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", {"lines": 0, "functions": 0, "worst_complexity": 0, "worst_function": ""}),
        ("def f(a):\n    return 1 if a else 2\n", {"lines": 2, "worst_complexity": 2, "worst_line": 1}),
        (
            "class A:\n    class B:\n        def deep(self, a):\n            return a or 1\n",
            {"worst_function": "B.deep"},
        ),
        ("class A:\n    def m(self): pass\n\ndef f(): pass\n", {"functions": 2}),
    ],
)
def test_a_module_is_measured(source: str, expected: dict[str, Any]) -> None:
    found = measure(source)

    assert {name: getattr(found, name) for name in expected} == expected


def test_the_most_complex_function_is_named() -> None:
    source = "def f(x):\n" + "".join(f"    if x == {n}:\n        return {n}\n" for n in range(12))
    found = measure(f"def easy(): pass\n\n\n{source}")

    assert (found.worst_function, found.worst_complexity, found.worst_line, found.complex_functions) == ("f", 13, 4, 1)


def test_an_inspection_joins_what_was_measured_with_what_every_survey_says(tmp_path: Path, store: OutputStore) -> None:
    root = tree(tmp_path / "tree", {"m.py": RISKY, "n.py": ""})
    dead = DeadItem(name="go", what="function", line=6, lines=3, confidence=0.6)
    surveys = {
        "survey/lint": surveyed(lint, root, tmp_path / "copy"),
        "survey/dead_code": DeadCodeSurvey(modules={"m.py": (dead,)}),
        "survey/duplication": DuplicationSurvey(modules={"m.py": (Clone(line=1, end_line=8, others=("n.py:1",)),)}),
        "survey/imports": ImportSurvey(modules={"m.py": Links(cycle=0)}, cycles=(("m.py", "n.py"),)),
    }
    outcome = inspect(store, root, "m.py", surveys)
    told = [evidence.text for evidence in outcome.output.evidence]

    assert [evidence.line for evidence in outcome.output.critical] == [7, 8]
    assert "in an import cycle with n.py" in told
    assert "8 lines exist elsewhere too, the longest piece in n.py:1" in told
    assert "function go is not used, 3 lines" in told
    assert outcome.output.evidence[0].kind is Kind.DEFECTS
    assert {concern.message[:4]: concern.route for concern in outcome.concerns} == {
        "S105": Route.HUMAN_REVIEW,
        "S605": Route.IMMEDIATE,
        "S307": Route.IMMEDIATE,
    }


def test_a_concern_about_a_password_does_not_repeat_it(tmp_path: Path, store: OutputStore) -> None:
    root = tree(tmp_path / "tree", {"m.py": RISKY})
    surveys = {"survey/lint": surveyed(lint, root, tmp_path / "copy")}

    assert "hunter2" not in str(inspect(store, root, "m.py", surveys))


def test_a_test_may_do_what_production_code_must_not(tmp_path: Path, store: OutputStore) -> None:
    root = tree(tmp_path / "tree", {"tests/test_m.py": RISKY})
    surveys = {"survey/lint": surveyed(lint, root, tmp_path / "copy")}
    outcome = inspect(store, root, "tests/test_m.py", surveys)

    assert (outcome.output.critical, outcome.concerns) == ((), ())


def test_without_surveys_a_module_is_judged_with_less_confidence(tmp_path: Path, store: OutputStore) -> None:
    root = tree(tmp_path / "tree", {"m.py": "x = 1\n"})
    with_one = inspect(store, root, "m.py", {"survey/lint": LintSurvey()})

    assert inspect(store, root, "m.py").confidence < with_one.confidence < 1


@pytest.mark.parametrize(
    "path", ["null_bytes.py", "does_not_parse.py", "utf_16.py", "too_large.py", "pipe.py", "self.py"]
)
def test_what_cannot_be_audited_fails_for_good_with_a_concern(tmp_path: Path, store: OutputStore, path: str) -> None:
    root = hostile(tmp_path / "tree")

    with pytest.raises(AgentFailed, match="cannot be audited: ") as failure:
        inspect(store, root, path)
    assert not failure.value.passing
    assert [concern.about for concern in failure.value.concerns] == [path]


@pytest.mark.parametrize("path", ["empty.py", "-rf.py", "new\nline.py", "ünï/модуль.py", "latin_1.py", "bom.py"])
def test_odd_but_readable_modules_are_inspected(tmp_path: Path, store: OutputStore, path: str) -> None:
    root = hostile(tmp_path / "tree")

    assert inspect(store, root, path).output.module.path == path


def test_surveys_cross_to_a_process_of_its_own_as_references_and_are_read_once(
    store: OutputStore, tmp_path: Path
) -> None:
    root = tree(tmp_path / "tree", {"m.py": RISKY})
    packed = json.loads(json.dumps(pack(handoffs(store, {"survey/lint": surveyed(lint, root, tmp_path / "copy")}))))
    annotation = get_type_hints(inspections)["survey"]
    surveys = unpack(packed, annotation)

    assert [hit.line for hit in survey_of(surveys, LintSurvey).modules["m.py"]] == [3, 7, 8]
    assert survey_of(surveys, LintSurvey) is survey_of(unpack(packed, annotation), LintSurvey)


def test_without_an_inventory_nothing_is_inspected_and_it_is_said_why(store: OutputStore) -> None:
    lacking = Missing(task_id="survey/inventory", producer="inventory", reason="git took longer than 60 s")

    with pytest.raises(AgentFailed, match="nobody knows which modules the tree has: git took longer"):
        inspections(handoffs(store, {"survey/lint": LintSurvey()}, (lacking,)))


def test_each_finding_can_be_acted_on_by_itself(tmp_path: Path, store: OutputStore) -> None:
    root = tree(tmp_path / "tree", {"m.py": RISKY, "n.py": ""})
    clone = Clone(line=1, end_line=8, others=("n.py:1",))
    surveys = {
        "survey/lint": surveyed(lint, root, tmp_path / "copy"),
        "survey/dead_code": DeadCodeSurvey(
            modules={"m.py": (DeadItem(name="go", what="function", line=6, lines=3, confidence=0.6),)}
        ),
        "survey/duplication": DuplicationSurvey(modules={"m.py": (clone,)}),
        "survey/imports": ImportSurvey(modules={"m.py": Links(cycle=0)}, cycles=(("m.py", "n.py"),)),
    }
    found = inspect(store, root, "m.py", surveys).output.findings

    assert [(one.rule, one.line, one.severity.value) for one in found] == [
        ("duplication", 1, "low"),
        ("import-cycle", 1, "medium"),
        ("S105", 3, "medium"),
        ("dead-code", 6, "low"),
        ("S605", 7, "critical"),
        ("S307", 8, "critical"),
    ]
    assert "hunter2" not in str(found)


def test_a_fingerprint_outlives_edits_around_its_finding_and_tells_equal_lines_apart(
    tmp_path: Path, store: OutputStore
) -> None:
    root = tree(tmp_path / "tree", {"m.py": "x = eval(input())\nx = eval(input())\n"})
    before = inspect(store, root, "m.py", {"survey/lint": surveyed(lint, root, tmp_path / "copy")}).output.findings
    tree(root, {"m.py": "# why\n\nx = eval(input())\nif x:\n    x = eval(input())\n"})
    now = inspect(store, root, "m.py", {"survey/lint": surveyed(lint, root, tmp_path / "copy")}).output.findings

    assert [one.line for one in now] == [3, 5]
    assert [one.fingerprint for one in now] == [one.fingerprint for one in before]
    assert len({one.fingerprint for one in now}) == 2
