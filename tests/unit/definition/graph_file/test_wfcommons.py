"""Scientific workflows in WfFormat: old and new layouts, and what is refused in them."""

import json
from pathlib import Path
from typing import Any

import pytest

from echelon.definition.graph_file.read import read_graph
from echelon.model.errors import InvalidInput
from echelon.model.graph import Coupling, TaskGraph
from tests.unit.planning import wfcommons


def task(task_id: str, *parents: str, children: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    return {"name": task_id, "id": task_id, "parents": list(parents), "children": list(children)} | more


def took(**seconds: float) -> dict[str, Any]:
    return {"tasks": [{"id": name, "runtimeInSeconds": value} for name, value in seconds.items()]}


def workflow(*tasks: Any, version: str = "1.5", execution: Any = None, **more: Any) -> dict[str, Any]:
    run = {} if execution is None else {"execution": execution}
    return {"schemaVersion": version, "workflow": {"specification": {"tasks": list(tasks)}, **run}, **more}


def older(*tasks: Any, version: str = "1.4", under: str = "tasks") -> dict[str, Any]:
    return {"schemaVersion": version, "workflow": {under: list(tasks)}}


def read(folder: Path, document: Any) -> TaskGraph:
    file = folder / "flow.json"
    file.write_text(json.dumps(document))
    return read_graph(file)


def edges(graph: TaskGraph) -> dict[str, list[str]]:
    return {task.id: [dependency.task for dependency in task.depends_on] for task in graph.tasks}


def test_tasks_have_the_seconds_they_were_seen_to_take(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        workflow(
            task("cut_1", children=("sew_2",)),
            task("sew_2", "cut_1"),
            execution=took(sew_2=2.5, cut_1=0),
            name="shirt",
            description="Make a shirt",
            createdAt="2020-12-30",
        ),
    )

    assert (graph.name, graph.goal) == ("shirt", "Make a shirt")
    assert [(task.id, task.seconds) for task in graph.tasks] == [("cut_1", 0.0), ("sew_2", 2.5)]
    assert edges(graph) == {"cut_1": [], "sew_2": ["cut_1"]}
    assert graph.tasks[1].depends_on[0].coupling is Coupling.LOOSE


def test_what_is_not_told_is_not_made_up(tmp_path: Path) -> None:
    graph = read(tmp_path, workflow(task("a")))

    assert (graph.name, graph.goal) == ("flow", "Do all tasks of flow")
    assert (graph.tasks[0].seconds, graph.tasks[0].tokens, graph.tasks[0].domain) == (None, None, None)


def test_an_edge_counts_whichever_end_tells_it(tmp_path: Path) -> None:
    """Files in the wild disagree with themselves; an edge that one side knows is not dropped."""
    graph = read(tmp_path, workflow(task("a", children=("c", "c")), task("b"), task("c", "b", "b")))

    assert edges(graph) == {"a": [], "b": [], "c": ["b", "a"]}


@pytest.mark.parametrize(
    ("name", "capability"),
    [
        ("blastall_ID000002", "blastall"),
        ("cpuhog_forkjoin_00000001", "cpuhog_forkjoin"),
        ("NFCORE.SAREK.BWAMEM1_INDEX", "NFCORE.SAREK.BWAMEM1_INDEX"),
        ("bowtie2-build", "bowtie2-build"),
        ("bowtie2", "bowtie2"),
        ("merge-12", "merge"),
        ("ID000001", None),
        ("12", "12"),
    ],
)
def test_what_a_task_does_is_its_name_without_its_number(tmp_path: Path, name: str, capability: str | None) -> None:
    found = read(tmp_path, workflow({"name": name, "id": "x", "parents": [], "children": []})).tasks[0]

    assert (found.id, found.goal, found.capability) == ("x", name, capability)


@pytest.mark.parametrize(
    ("version", "under", "seconds"),
    [("1.4", "tasks", "runtimeInSeconds"), ("1.3", "tasks", "runtime"), ("1.1", "jobs", "runtime")],
)
def test_before_1_5_tasks_name_each_other_by_name(tmp_path: Path, version: str, under: str, seconds: str) -> None:
    first = {"name": "cut_ID01", "id": "ID01", "children": ["sew_ID02"], seconds: 3, "category": "scissors"}
    second = {"name": "sew_ID02", "id": "ID02", "parents": ["cut_ID01"], seconds: 4}
    graph = read(tmp_path, older(first, second, version=version, under=under))

    assert edges(graph) == {"ID01": [], "ID02": ["ID01"]}
    assert [(task.seconds, task.capability) for task in graph.tasks] == [(3.0, "scissors"), (4.0, "sew")]


def test_in_the_oldest_files_the_name_is_the_id(tmp_path: Path) -> None:
    graph = read(tmp_path, older({"name": "a"}, {"name": "b", "parents": ["a"]}, version="1.0", under="jobs"))

    assert edges(graph) == {"a": [], "b": ["a"]}


def test_a_task_may_be_named_by_what_is_not_usual_in_its_version(tmp_path: Path) -> None:
    new = workflow({"name": "cut", "id": "1"}, {"name": "sew", "id": "2", "parents": ["cut"]})
    old = older({"name": "cut", "id": "1"}, {"name": "sew", "id": "2", "parents": ["1"]})

    assert edges(read(tmp_path, new)) == edges(read(tmp_path, old)) == {"1": [], "2": ["1"]}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (workflow(task("a"), version="2.0"), "schemaVersion '2.0' is not read; WfFormat 1.x is"),
        (workflow(task("a"), version="1"), "schemaVersion '1' is not read"),
        ({"workflow": {"tasks": []}}, "schemaVersion null is not read"),
        ({"schemaVersion": {"a": 1}, "workflow": {}}, "schemaVersion an object is not read"),
        ({"schemaVersion": "1.5"}, "'workflow' is missing"),
        ({"schemaVersion": "1.5", "workflow": []}, "workflow: must be an object, not a list"),
        ({"schemaVersion": "1.5", "workflow": {}}, "it has neither 'specification' nor 'tasks'"),
        (workflow(), "the graph has no tasks"),
        (workflow(5), "workflow.specification.tasks[0]: must be an object, not 5"),
        (workflow(task("a"), {"id": "b"}), "workflow.specification.tasks[1] (id 'b'): 'name' is missing"),
        (workflow(task("a") | {"parents": "b"}), "tasks[0].parents (id 'a'): must be a list, not 'b'"),
        (workflow(task("a") | {"parents": [1]}), "tasks[0].parents[0] (id 'a'): must be a text, not 1"),
        (workflow(task("a", "x")), "task 'a' has the parent 'x', which is not a task"),
        (workflow(task("a", children=("x",))), "task 'a' has the child 'x', which is not a task"),
        (workflow(task("a"), task("a")), "task ids used twice: a"),
        (workflow(task("a", "a")), "tasks that depend on themselves: a"),
        (workflow(task("a", "b"), task("b", "a")), "in a cycle, b -> a -> b"),
        (older({"id": "a"}, version="1.1", under="jobs"), "'name' is missing"),
        (older({"name": "a", "runtime": -2}, version="1.3"), "must be greater than or equal to 0, not -2"),
        (workflow(task("a"), execution=took(b=1)), "'b' is not a task of the specification"),
        (workflow(task("a"), execution={"tasks": took(a=1)["tasks"] * 2}), "task 'a' has two runtimes"),
        (workflow(task("a"), execution=took(a=-1)), "tasks[0].runtimeInSeconds (id 'a'): must be greater than or"),
        (workflow(task("a"), execution=took(a=float("nan"))), "runtimeInSeconds (id 'a'): must be a number, not NaN"),
        (
            older({"name": "a", "id": "1"}, {"name": "a", "id": "2"}, {"name": "b", "id": "3", "parents": ["a"]}),
            "task '3' has the parent 'a', which is the name of several tasks ('1', '2'); give their ids",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_ids(tmp_path: Path, document: Any, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(tmp_path, document)

    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_task_that_was_not_measured_has_no_seconds(tmp_path: Path) -> None:
    graph = read(tmp_path, workflow(task("a"), task("b"), execution={"tasks": [{"id": "a"}]}))

    assert [task.seconds for task in graph.tasks] == [None, None]


def test_numbers_that_planning_does_not_need_may_be_anything(tmp_path: Path) -> None:
    """Tools write NaN for a processor that nobody measured."""
    run = took(a=1)
    run["tasks"][0] |= {"avgCPU": float("nan"), "readBytes": 10**40}

    assert read(tmp_path, workflow(task("a"), execution=run)).tasks[0].seconds == 1.0


@pytest.mark.skipif(not wfcommons.raw(), reason=wfcommons.ABSENT)
def test_the_original_files_are_read_whole() -> None:
    found = {
        graph.name.split("-")[0]: (len(graph.tasks), sum(map(len, edges(graph).values())))
        for graph in map(read_graph, wfcommons.raw())
    }

    assert found == {"makeflow": (43, 120), "forkjoin": (10, 16), "sarek": (26, 50)}


@pytest.mark.skipif(wfcommons.suite() is None, reason=wfcommons.ABSENT)
def test_the_original_file_says_the_same_as_the_suite() -> None:
    original = next(read_graph(file) for file in wfcommons.raw() if "forkjoin" in file.name)
    same = next(graph for graph in wfcommons.suite() or () if "forkjoin" in graph.name)
    renamed = dict(zip((task.id for task in same.tasks), (task.id for task in original.tasks), strict=True))

    assert [task.seconds for task in original.tasks] == [task.seconds for task in same.tasks]
    assert [set(used) for used in edges(original).values()] == [
        {renamed[one] for one in used} for used in edges(same).values()
    ]


@pytest.mark.skipif(wfcommons.suite() is None, reason=wfcommons.ABSENT)
def test_the_suite_has_forty_graphs() -> None:
    assert len(wfcommons.suite() or ()) == 40
