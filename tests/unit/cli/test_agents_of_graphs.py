"""Agents of task graphs on the command line: named in the file or by `--agent`, imported, refused in one line."""

import itertools
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from echelon import Job
from echelon.definition.source import load_job as load

#: What commands use.
load_job = partial(load, job_type=Job)

Echelon = Callable[..., Any]

pytestmark = pytest.mark.usefixtures("importing")

AGENTS = """
from echelon import TaskSpec, agent

@agent
def look(task: TaskSpec) -> str:
    "Look."
    return f"{task.id}: {task.goal}"

@agent
def by_path(path: str) -> str:
    "Take what no task has."
    return path

def plain(task: TaskSpec) -> str:
    return task.id
"""

WFCOMMONS = {
    "schemaVersion": "1.5",
    "name": "blast",
    "workflow": {
        "specification": {"tasks": [{"id": "t1", "name": "split_ID01"}, {"id": "t2", "name": "blastall_ID02"}]}
    },
}

_numbers = itertools.count()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> Path:
    """A folder with a graph in a folder of its own, worked in from elsewhere, without a picture in Prefect."""
    monkeypatch.setenv("ECHELON_PICTURE", "false")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "graphs").mkdir()
    return tmp_path


def module(where: Path, text: str = AGENTS) -> str:
    """Write a module that no other test has imported; return its name."""
    name = f"agents_{next(_numbers)}"
    where.mkdir(exist_ok=True)
    (where / f"{name}.py").write_text(text)
    return name


def graph(folder: Path, agents: dict[str, Any] | None = None, **update: Any) -> str:
    tasks = [
        {"id": "a", "goal": "first", "capability": "look"},
        {"id": "b", "goal": "then", "depends_on": ["a"], "domain": "b"},
    ]
    named = {} if agents is None else {"agents": agents}
    (folder / "graphs" / "g.json").write_text(json.dumps({"tasks": tasks, **named, **update}))
    return "graphs/g.json"


def test_agents_are_found_beside_the_file_that_names_them(folder: Path, echelon: Echelon) -> None:
    said = echelon("run", graph(folder, {"*": f"{module(folder / 'graphs')}:look"}), "--json")

    assert said.code == 0
    assert json.loads(said.out)["output"] == {"b": "b: then"}


def test_agents_are_found_in_the_project_that_the_file_is_in(folder: Path) -> None:
    (folder / "pyproject.toml").touch()
    package = f"tasks_{next(_numbers)}"
    name = module(folder / package)

    assert load_job(graph(folder, {"*": f"{package}.{name}:look"})).agent_sources == {}


def test_agents_are_found_by_their_file_seen_from_the_one_that_names_them(folder: Path) -> None:
    name = module(folder / "tasks")
    job = load_job(graph(folder, {"*": f"../tasks/{name}.py:look"}))

    assert job.graph_agents is not None
    assert job.graph_agents.lacking() == ()


def test_an_agent_on_the_command_line_is_found_from_the_folder_one_is_in_and_goes_before_the_file(
    folder: Path, echelon: Echelon
) -> None:
    name = module(folder)
    other = module(folder / "graphs", AGENTS.replace("def look", "def see"))
    file = graph(folder, {"*": "no.such.module:agent", "look": f"{other}:see"})
    said = echelon("run", file, "--agent", f"*={name}:look", "--json")

    assert said.code == 0
    assert load_job(file, agents={"*": f"{name}:look"}).agent_sources == {"*": f"{folder / name}.py:look"}


def test_a_wfcommons_file_is_run_with_agents_on_the_command_line(folder: Path, echelon: Echelon) -> None:
    (folder / "blast.json").write_text(json.dumps(WFCOMMONS))
    name = module(folder)
    said = echelon("run", "blast.json", "--agent", f"*={name}:look", "--agent", f"split={name}.py:look", "--json")

    assert said.code == 0
    assert json.loads(said.out)["output"] == {"t1": "t1: split_ID01", "t2": "t2: blastall_ID02"}


@pytest.mark.parametrize("command", ["plan", "lint"])
def test_plan_and_lint_know_the_agents(folder: Path, echelon: Echelon, command: str) -> None:
    said = echelon(command, graph(folder), "--agent", f"*={module(folder)}:look", "--json")

    assert said.code == 0
    if command == "plan":
        assert {task["kind"] for task in json.loads(said.out)["tasks"]} == {"function"}


@pytest.mark.parametrize("command", ["plan", "lint", "conventions", "checklist"])
def test_a_file_without_agents_is_planned_as_ever(folder: Path, echelon: Echelon, command: str) -> None:
    assert echelon(command, graph(folder)).code == 0


def refused(echelon: Echelon, *arguments: str) -> str:
    said = echelon(*arguments)

    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    return said.err.removeprefix("echelon: ").strip()


@pytest.mark.parametrize(
    ("agents", "said"),
    [
        (
            None,
            "cannot be run, it is not known which agent has the capability: for 'look', for tasks that ask for none",
        ),
        ({"look": "MODULE:look"}, 'for tasks that ask for none; write "agents": {"*": "module:agent"} into the task'),
        ({"*": "no_such_module:look"}, "graphs/g.json: agents.*: no module named 'no_such_module' in"),
        ({"*": "none.py:look"}, "graphs/g.json: agents.*: there is no file none.py"),
        ({"*": "MODULE:nobody"}, "has no 'nobody'; the agents in it: look, by_path"),
        ({"*": "MODULE"}, "does not say which agent of it; write module:agent or file.py:agent"),
        ({"*": "not a module:x"}, "agents.*: 'not a module:x' is not a source: give a file and a variable"),
        ({"*": "MODULE:plain"}, "is not an agent; put @agent on the function"),
        ({"*": "MODULE:by_path"}, "annotate it as TaskSpec, Brief"),
        ({"*": 7}, "agents.*: must be a text, not 7; put it in quotes"),
        (["MODULE:look"], "agents: must be an object, not a list"),
        ({"lok": "MODULE:look"}, "an agent is given for the capability 'lok', which no task has (those are: look)"),
    ],
)
def test_agents_of_a_file_that_cannot_be_used_are_one_line_and_exit_code_2(
    folder: Path, echelon: Echelon, agents: Any, said: str
) -> None:
    text = json.dumps(agents).replace("MODULE", module(folder / "graphs"))

    assert said in refused(echelon, "run", graph(folder, json.loads(text)))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["look"], "--agent takes capability=module:agent, not 'look'; as in --agent '*=tasks.agents:work'"),
        (["=m:a"], "--agent takes capability=module:agent, not '=m:a'"),
        (["*="], "--agent takes capability=module:agent, not '*='"),
        (["*=m:a", "*=m:b"], "--agent is given twice for the capability '*'; give it once"),
        (["*=no_such_module:a"], "no module named 'no_such_module'"),
        (["lok=MODULE:look"], "an agent is given for the capability 'lok', which no task has"),
    ],
)
def test_agents_on_the_command_line_that_cannot_be_used_are_one_line_and_exit_code_2(
    folder: Path, echelon: Echelon, given: list[str], said: str
) -> None:
    name = module(folder)
    options = [part for one in given for part in ("--agent", one.replace("MODULE", name))]

    assert said in refused(echelon, "run", graph(folder), *options)


def test_a_mistyped_key_is_told_from_the_right_one(folder: Path, echelon: Echelon) -> None:
    assert "the key 'agent' is unknown; did you mean 'agents'?" in refused(echelon, "plan", graph(folder, agent={}))


def test_a_job_in_python_takes_no_agents_on_the_command_line(folder: Path, echelon: Echelon) -> None:
    said = refused(echelon, "run", f"{module(folder)}.py:job", "--agent", "*=m:a")

    assert said.startswith("--agent is for task graphs, and ")


def test_a_module_that_breaks_is_told_with_its_line(folder: Path, echelon: Echelon) -> None:
    name = module(folder / "graphs", "1 / 0\n")
    said = refused(echelon, "plan", graph(folder, {"*": f"{name}:look"}))

    assert f"{name}.py:1: ZeroDivisionError: division by zero" in said


def test_what_is_irreversible_must_be_declared_by_its_agent(folder: Path, echelon: Echelon) -> None:
    tasks = [{"id": "send", "irreversible": True}]
    said = refused(echelon, "run", graph(folder, {"*": f"{module(folder / 'graphs')}:look"}, tasks=tasks))

    assert (
        "graphs/g.json: task 'send' is irreversible, and its agent 'look' says effect='read'; declare effect=" in said
    )


#: With one agent at a time the plan has other tasks side by side than with eight.
LEVELLED = [
    {"id": "t0", "seconds": 1, "domain": "0"},
    {"id": "t1", "seconds": 9, "domain": "1", "depends_on": ["t0"]},
    {"id": "t2", "seconds": 9, "domain": "2"},
    {"id": "t3", "seconds": 9, "domain": "3", "depends_on": ["t1", "t2"]},
    {"id": "t4", "seconds": 2, "domain": "4", "depends_on": ["t2"]},
]

WORKER = """
from pathlib import Path

from echelon import AgentFailed, TaskSpec, agent

HERE = Path(__file__).parent

@agent(attempts=1)
def work(task: TaskSpec) -> str:
    "Work."
    with (HERE / "done").open("a") as file:
        file.write(task.id + " ")
    if task.id == "t3" and (HERE / "broken").exists():
        raise AgentFailed("broken")
    return task.id
"""


def test_a_run_that_is_resumed_with_other_limits_moves_its_tasks_and_does_none_of_them_again(
    folder: Path, echelon: Echelon
) -> None:
    (folder / "broken").touch()
    file = graph(folder, {"*": f"../{module(folder, WORKER)}.py:work"}, tasks=LEVELLED)
    first = json.loads(echelon("run", file, "--max-concurrency", "8", "--json").out)
    (folder / "broken").unlink()
    (folder / "done").unlink()
    result = json.loads(echelon("resume", first["run_id"], "--max-concurrency", "1", "--json").out)
    shown = json.loads(echelon("show", first["run_id"], "--json").out)

    assert (folder / "done").read_text() == "t3 "
    assert (result["status"], result["launched"], result["returned"]) == ("completed", 5, 5)
    assert result["output"] == {"t3": "t3", "t4": "t4"}
    assert [phase["tasks"] for phase in shown["plan"]["phases"]] == [["t0", "t2"], ["t1", "t4"], ["t3"]]
    assert [(one["planned"], one["completed"]) for one in shown["phases"]] == [(2, 2), (2, 2), (1, 1)]
