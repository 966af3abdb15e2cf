"""Success that tasks of a graph state in its file, as people meet it on the command line (D11)."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Echelon, calling, document

pytestmark = pytest.mark.engine

WORKERS = """
from echelon import TaskSpec, agent


@agent(attempts=1)
def work(task: TaskSpec) -> str:
    print(task.goal)
    return task.goal


def is_long(output: str) -> str:
    return "" if len(output) > 3 else f"{output!r} is short"


NUMBER = 3
"""


@pytest.fixture
def echelon(tmp_path: Path) -> Echelon:
    (tmp_path / "workers.py").write_text(WORKERS)
    return calling(tmp_path, COLUMNS="200")


def write(folder: Path, success: Any) -> None:
    tasks = [{"id": "a", "goal": "long enough", "success": success}, {"id": "b", "goal": "no", "success": success}]
    (folder / "g.json").write_text(json.dumps({"agents": {"*": "workers:work"}, "tasks": tasks}))


def test_tasks_whose_checks_reject_their_results_have_failed(tmp_path: Path, echelon: Echelon) -> None:
    write(tmp_path, ["it is polite", "workers:is_long", {"command": ["true"]}])
    said = document(echelon("run", "g.json", "--json"), 3)

    assert [(one["task_id"], one["reason"]) for one in said["missing"]] == [
        ("b", "what work delivered was rejected by is_long: 'no' is short")
    ]
    assert said["output"] == {"a": "long enough"}
    assert list(said["unchecked"].values()) == [["it is polite"]]


def test_a_command_checks_by_its_exit_code(tmp_path: Path, echelon: Echelon) -> None:
    write(tmp_path, [{"command": ["false"]}])
    said = document(echelon("run", "g.json", "--json"), 1)

    assert "rejected by false" in said["missing"][0]["reason"]


@pytest.mark.parametrize(
    ("success", "line"),
    [
        (["workers:is_lng"], "has no 'is_lng'; the checks in it: work, is_long"),
        (["nowhere:check"], "no module named 'nowhere'"),
        (["workers:NUMBER"], "task 'a': 3 cannot check anything"),
        ([{"command": []}], "tasks[0].success[0] (id 'a'): a criterion is a text, a check or a command"),
        ([{"comand": ["true"]}], "the key 'comand' is unknown; did you mean 'command'?"),
        ([7], "tasks[0].success[0] (id 'a'): must be an object, not 7"),
        ("polite", "tasks[0].success (id 'a'): must be a list, not 'polite'"),
    ],
)
def test_what_cannot_check_is_refused_in_one_line(tmp_path: Path, echelon: Echelon, success: Any, line: str) -> None:
    write(tmp_path, success)
    refused = echelon("run", "g.json")

    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert line in refused.stderr
