import json
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from contracts.modules import Kind, Module
from contracts.surveys import Clone, DeadCodeSurvey, DeadItem, DuplicationSurvey, ImportSurvey, Links, LintSurvey
from echelon import AgentFailed, Handoffs
from echelon.agents.processes.wire import pack, unpack
from echelon.journal.outputs import OutputStore
from echelon.model.concern import Route
from tasks.inspecting import inspect_module
from tasks.linting import lint
from tasks.lookup import survey_of
from tasks.measuring import measure
from tests.unit.audit.building import LIMIT, handoffs, hostile, tree
from tests.unit.audit.test_surveys import run

RISKY = 'import os\n\nPASSWORD = "hunter2"\n\n\ndef go(cmd):\n    os.system(cmd)\n    return eval(cmd)\n'


def inspect(root: Path, path: str, surveys: Handoffs[Any]) -> Any:
    return inspect_module(Module(path=path, package="p"), survey=surveys, path=root, max_bytes=LIMIT)


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
        "survey/lint": run(lint, root, tmp_path / "copy"),
        "survey/dead_code": DeadCodeSurvey(modules={"m.py": (dead,)}),
        "survey/duplication": DuplicationSurvey(modules={"m.py": (Clone(line=1, end_line=8, others=("n.py:1",)),)}),
        "survey/imports": ImportSurvey(modules={"m.py": Links(cycle=0)}, cycles=(("m.py", "n.py"),)),
    }
    outcome = inspect(root, "m.py", handoffs(store, surveys))
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
    surveys = handoffs(store, {"survey/lint": run(lint, root, tmp_path / "copy")})

    assert "hunter2" not in str(inspect(root, "m.py", surveys))


def test_a_test_may_do_what_production_code_must_not(tmp_path: Path, store: OutputStore) -> None:
    root = tree(tmp_path / "tree", {"tests/test_m.py": RISKY})
    surveys = handoffs(store, {"survey/lint": run(lint, root, tmp_path / "copy")})
    outcome = inspect(root, "tests/test_m.py", surveys)

    assert (outcome.output.critical, outcome.concerns) == ((), ())


def test_without_surveys_a_module_is_judged_with_less_confidence(tmp_path: Path, store: OutputStore) -> None:
    root = tree(tmp_path / "tree", {"m.py": "x = 1\n"})
    with_one = inspect(root, "m.py", handoffs(store, {"survey/lint": LintSurvey()}))

    assert inspect(root, "m.py", Handoffs()).confidence < with_one.confidence < 1


@pytest.mark.parametrize(
    "path", ["null_bytes.py", "does_not_parse.py", "utf_16.py", "too_large.py", "pipe.py", "self.py"]
)
def test_what_cannot_be_audited_fails_for_good_with_a_concern(tmp_path: Path, path: str) -> None:
    hostile(tmp_path)

    with pytest.raises(AgentFailed, match="cannot be audited: ") as failure:
        inspect(tmp_path, path, Handoffs())
    assert not failure.value.passing
    assert [concern.about for concern in failure.value.concerns] == [path]


@pytest.mark.parametrize("path", ["empty.py", "-rf.py", "new\nline.py", "ünï/модуль.py", "latin_1.py", "bom.py"])
def test_odd_but_readable_modules_are_inspected(tmp_path: Path, path: str) -> None:
    hostile(tmp_path)

    assert inspect(tmp_path, path, Handoffs()).output.module.path == path


def test_surveys_cross_to_a_process_of_its_own_as_references_and_are_read_once(
    store: OutputStore, tmp_path: Path
) -> None:
    root = tree(tmp_path / "tree", {"m.py": RISKY})
    packed = json.loads(json.dumps(pack(handoffs(store, {"survey/lint": run(lint, root, tmp_path / "copy")}))))
    annotation = get_type_hints(inspect_module.function)["survey"]
    surveys = unpack(packed, annotation)
    finding = inspect(root, "m.py", surveys).output

    assert [evidence.line for evidence in finding.critical] == [7, 8]
    assert survey_of(surveys, LintSurvey) is survey_of(unpack(packed, annotation), LintSurvey)
