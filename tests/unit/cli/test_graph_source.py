"""A task-graph file as the SOURCE of a command."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from echelon import Job
from echelon.definition.definition import NoInputs
from echelon.definition.planned import planned
from echelon.definition.source import load_job as load
from echelon.model.errors import InvalidInput, InvalidJob
from echelon.model.graph import TaskGraph, TaskSpec
from echelon.model.usage import Budget

#: What commands use.
load_job = partial(load, job_type=Job)

Echelon = Callable[..., Any]

#: Two tasks that one agent could do, were they not of different kinds, and a third behind them.
GRAPH = {
    "name": "Web shop, v2",
    "goal": "Sell more",
    "constraints": ["no downtime"],
    "budget": {"tokens": 1000},
    "tasks": [
        {"id": "api", "domain": "core", "seconds": 2},
        {"id": "page", "domain": "web", "seconds": 3},
        {"id": "ship", "domain": "ops", "depends_on": ["api", "page"], "seconds": 1},
    ],
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "shop.json"
    written.write_text(json.dumps(GRAPH))
    return written


def test_a_graph_becomes_a_job_of_its_name(file: Path) -> None:
    job = load_job(str(file))

    assert (job.name, job.goal, job.constraints, job.budget) == (
        "Web-shop-v2",
        "Sell more",
        ("no downtime",),
        Budget(tokens=1000),
    )
    assert job.graph is not None
    assert job.graph.name == "Web shop, v2"


def test_the_remembered_source_works_from_another_folder(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    job = load_job("shop.json")
    monkeypatch.chdir("/")

    assert job.source == str(file)
    assert load_job(job.source).graph == job.graph


def test_a_folder_may_have_a_colon_in_its_name(tmp_path: Path, file: Path) -> None:
    folder = tmp_path / "a:b"
    folder.mkdir()

    assert load_job(str(file.rename(folder / "shop.json"))).goal == "Sell more"


def test_the_plan_is_that_of_the_graph(file: Path) -> None:
    plan = load_job(str(file)).plan(max_concurrency=2)

    assert (plan.job, plan.goal) == ("Web shop, v2", "Sell more")
    assert sorted(task for phase in plan.phases for task in phase.tasks) == ["api", "page", "ship"]
    assert plan.makespan.critical_path == 4


def test_phases_run_in_the_order_in_which_they_first_appear() -> None:
    names = ("b", "a", "b", "c")
    tasks = tuple(TaskSpec(id=f"t{n}", goal="g", phase=name) for n, name in enumerate(names))

    plan = Job.from_graph(TaskGraph(name="n", goal="g", tasks=tasks)).plan()

    assert [phase.name for phase in plan.phases] == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("shop.json:shop", "shop.json is a task graph, which has no variables and no flow; give the file alone"),
        ("dir/shop.yaml:shop", "dir/shop.yaml is a task graph"),
        ("none.json", "none.json: the file does not exist; give the path of a task graph"),
    ],
)
def test_what_cannot_be_read_as_a_graph_is_refused(source: str, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        load_job(source)

    assert said in str(refused.value)


def test_a_graph_that_names_no_agents_cannot_be_run(file: Path) -> None:
    job = load_job(str(file))
    with pytest.raises(
        InvalidInput, match=r"shop\.json cannot be run, .* for tasks that ask for none; write \"agents\""
    ):
        planned(job, NoInputs())
    with pytest.raises(InvalidInput, match=r"shop\.json is a task graph: it has no flow"):
        _ = job.entrypoint
    with pytest.raises(InvalidJob, match="phases cannot be added"):
        job.phase("more")


def test_a_graph_made_in_python_is_named_when_it_cannot_be_run() -> None:
    job = Job.from_graph(TaskGraph(name="made here", goal="g", tasks=(TaskSpec(id="a", goal="g", capability="c"),)))

    with pytest.raises(InvalidInput, match=r"made-here cannot be run, .* has the capability: for 'c'; write"):
        planned(job, NoInputs())


def test_the_command_line_plans_a_graph(echelon: Echelon, file: Path) -> None:
    said = echelon("plan", str(file), "--json")

    assert said.code == 0
    assert json.loads(said.out)["makespan"]["work"] == 6.0


def test_a_graph_takes_no_inputs(echelon: Echelon, file: Path) -> None:
    said = echelon("plan", str(file), "--param", "path=src")

    assert (said.code, said.out) == (2, "")
    assert said.err == "echelon: unknown parameter 'path'; this job takes: none\n"


@pytest.mark.parametrize(
    ("tasks", "said"),
    [
        ([{"id": "a", "depends_on": ["b"]}, {"id": "b", "depends_on": ["a"]}], "cycle, b -> a -> b"),
        ([{"id": "a", "depends_on": ["b"]}], "unknown tasks: b (of a)"),
        ([{"id": "a"}, {"id": "a"}], "used twice: a"),
        ([{"id": "a", "depends_on": ["a"]}], "depend on themselves: a"),
        ([], "the graph has no tasks"),
    ],
)
def test_a_malformed_graph_is_one_line_and_exit_code_2(echelon: Echelon, file: Path, tasks: Any, said: str) -> None:
    file.write_text(json.dumps({"tasks": tasks}))
    answer = echelon("plan", str(file))

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"echelon: {file}: ")
    assert said in answer.err
    assert answer.err.count("\n") == 1
