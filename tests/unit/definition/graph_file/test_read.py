"""Task graphs from files: what is read, and the one line that is said about what cannot be."""

import gc
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from echelon.definition.graph_file.read import is_graph_file, read_graph
from echelon.definition.graph_file.yaml import parse_yaml
from echelon.definition.graphs.graph_job import LONGEST_NAME, job_name
from echelon.model.errors import InvalidInput
from echelon.model.graph import Coupling, Dependency, TaskGraph
from echelon.model.organisation import Structure

Write = Callable[..., Path]

FULL: dict[str, Any] = {
    "name": "Move to v2",
    "goal": "Everybody uses v2",
    "constraints": ["no downtime"],
    "organisation": {"structure": "flat", "agents": 4, "approval": "selected"},
    "priors": {"task_tokens": 5000},
    "budget": {"seconds": 60, "tokens": 1000},
    "prices": {"small": {"input": 1, "output": 2.5}},
    "tasks": [
        {"id": "write", "goal": "Write it", "domain": "core.api", "seconds": 4, "tokens": 100, "touches": ["a.py"]},
        {
            "id": "ship",
            "goal": "Ship it",
            "depends_on": ["write", {"task": "check", "coupling": "tight", "reason": "nothing else is proof"}],
            "irreversible": True,
            "error_consequence": "catastrophic",
            "capability": "release",
            "model": "small",
            "contract": "Release@1",
            "attempts": [3, 2],
        },
        {"id": "check", "depends_on": [{"task": "write", "coupling": "none"}], "verifies": ["write"]},
    ],
}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(content: Any, suffix: str = ".json") -> Path:
        file = tmp_path / f"graph{suffix}"
        if isinstance(content, dict | list):
            content = json.dumps(content)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    return written


def said_about(file: Path) -> str:
    with pytest.raises(InvalidInput) as refused:
        read_graph(file)
    said = str(refused.value)

    assert said.startswith(str(file))
    assert "\n" not in said
    assert len(said) < len(str(file)) + 400
    return said.removeprefix(f"{file}: ")


def tasks(*of_it: Any, **more: Any) -> dict[str, Any]:
    return {"tasks": list(of_it), **more}


@pytest.mark.parametrize("suffix", [".json", ".yaml", ".yml"])
def test_a_graph_says_all_that_is_known_about_a_job(write: Write, suffix: str) -> None:
    content = json.dumps(FULL) if suffix == ".json" else yaml.safe_dump(FULL)
    graph = read_graph(write(content, suffix))

    first, ship, check = graph.tasks
    assert (graph.name, graph.goal, graph.constraints) == ("Move to v2", "Everybody uses v2", ("no downtime",))
    assert (graph.organisation.structure, graph.organisation.agents) == (Structure.FLAT, 4)
    assert graph.budget is not None
    assert (graph.priors.task_tokens, graph.budget.tokens, graph.prices["small"].output) == (5000, 1000, 2.5)
    assert (first.domain, first.seconds, first.tokens, first.touches) == ("core.api", 4.0, 100, ("a.py",))
    assert ship.depends_on == (
        Dependency(task="write", coupling=Coupling.LOOSE),
        Dependency(task="check", coupling=Coupling.TIGHT, reason="nothing else is proof"),
    )
    assert (ship.irreversible, ship.error_consequence, ship.attempts) == (True, "catastrophic", (3, 2))
    assert (check.goal, check.verifies, check.depends_on[0].coupling) == ("check", ("write",), Coupling.NONE)


def test_only_the_ids_must_be_given(write: Write) -> None:
    graph = read_graph(write({"tasks": [{"id": "a"}, {"id": "b", "depends_on": ["a"]}]}))

    assert (graph.name, graph.goal) == ("graph", "Do all tasks of graph")
    assert [task.goal for task in graph.tasks] == ["a", "b"]


def test_a_byte_order_mark_is_no_content(write: Write) -> None:
    content = json.dumps(tasks({"id": "a"})).encode()

    assert read_graph(write(b"\xef\xbb\xbf" + content)) == read_graph(write(content))


def test_ids_are_any_text_that_can_be_shown_on_one_line(write: Write) -> None:
    ids = ["ein Schritt", "日本", "a/b:c", "🚀", "ÅSA", "null", "-1"]

    assert [task.id for task in read_graph(write(tasks(*({"id": one} for one in ids)))).tasks] == ids


def test_it_does_not_matter_how_an_accent_is_encoded(write: Write) -> None:
    """Some file systems and editors take letters apart; the same name must still be the same task."""
    graph = read_graph(write(tasks({"id": "cafe\u0301"}, {"id": "b", "depends_on": ["caf\u00e9"]})))

    assert graph.tasks[0].id == graph.tasks[1].depends_on[0].task == "caf\u00e9"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(
            tasks({"id": "a", "depends_on": ["c"]}, {"id": "b", "depends_on": ["a"]}, {"id": "c", "depends_on": ["b"]}),
            "in a cycle, b -> c -> a -> b",
            id="D4-cycle",
        ),
        (
            tasks({"id": "a", "depends_on": ["x", "y"]}, {"id": "b", "depends_on": ["x"]}),
            "unknown tasks: x (of a), y (of a)",
        ),
        (
            tasks({"id": "a", "depends_on": [f"x{n}" for n in range(9)]}),
            "x0 (of a), x1 (of a), x2 (of a), x3 (of a), x4 (of a) and 4 more",
        ),
        (tasks({"id": "a", "verifies": ["x"]}), "unknown tasks: x (of a)"),
        (tasks({"id": "a"}, {"id": "b"}, {"id": "a"}), "task ids used twice: a"),
        (tasks({"id": "a", "depends_on": ["a"]}), "depend on themselves: a"),
        (tasks({"id": ""}), "tasks[0].id (id ''): an id must not be blank"),
        (tasks({"id": "a"}, {"id": " \u3000"}), "tasks[1].id (id ' \\u3000'): an id must not be blank"),
        (tasks({"id": "a\nb"}), "tasks[0].id (id 'a\\nb'): an id must not contain control characters"),
        (tasks({"id": "a\u2028b"}), "as U+2028"),
        (tasks({"id": "\ud800"}), "the text '\\ud800' has half a surrogate pair"),
        (tasks({"id": "a"}, prices={"x\udfff": {"input": 1, "output": 1}}), "the text 'x\\udfff' has half a"),
        (tasks({"id": "caf\u00e9"}, {"id": "cafe\u0301"}), "the ids 'caf\\xe9' and 'cafe\\u0301' look alike"),
        (tasks({"id": "a"}, {"goal": "b"}), "tasks[1]: 'id' is missing"),
        (tasks({"id": 1}), "tasks[0].id (id 1): must be a text, not 1"),
        (tasks({"id": "a"}, 5), "tasks[1]: must be an object, not 5"),
        (tasks({"id": "a", "depends_on": "b"}), "tasks[0].depends_on (id 'a'): must be a list, not 'b'"),
        (tasks({"id": "a", "depends_on": [7]}), "tasks[0].depends_on[0] (id 'a'): must be an object, not 7"),
        (tasks({"id": "a", "depends_on": [{}]}), "tasks[0].depends_on[0] (id 'a'): 'task' is missing"),
        (tasks({"id": "a", "depends_on": [{"task": "a", "coupling": "tigth"}]}), "one of tight, medium, loose, none"),
        (
            tasks({"id": "a", "gate": {"approver": ["x"]}}),
            "tasks[0].gate (id 'a'): the key 'approver' is unknown; did you mean 'approvers'?",
        ),
        (tasks({"id": "a", "gate": {"expires_seconds": 1e12}}), "must be less than or equal to 315360000"),
        (tasks({"id": "a", "seconds": -1}), "tasks[0].seconds (id 'a'): must be greater than or equal to 0, not -1"),
        (tasks({"id": "a", "seconds": float("nan")}), "tasks[0].seconds (id 'a'): must be a number, not NaN"),
        (tasks({"id": "a", "seconds": float("-inf")}), "must be a number, not -Infinity"),
        ('{"tasks": [{"id": "a", "seconds": 1e999}]}', "must be a number, not 1e999 (too large"),
        (tasks({"id": "a", "tokens": 10**4000}), f"must be a whole number, not 1{'0' * 29}… (too large"),
        (tasks({"id": "a", "tokens": 10**18 + 1}), "(too large, the largest number that is read is"),
        (tasks({"id": "a", "tokens": "5"}), "tasks[0].tokens (id 'a'): must be a whole number, not '5'"),
        (tasks({"id": "a", "tokens": True}), "must be a whole number, not true"),
        (tasks({"id": "a", "irreversible": "yes"}), "must be true or false, not 'yes'"),
        (tasks({"id": "a", "irreversible": None}), "must be true or false, not null"),
        (tasks({"id": "a", "attempts": [2, {}]}), "tasks[0].attempts[1] (id 'a'): must be a whole number"),
        (tasks({"id": "a", "error_consequence": "bad"}), "must be 'minor', 'significant' or 'catastrophic', not 'bad'"),
        (tasks({"id": "a", "toknes": 1}), "tasks[0] (id 'a'): the key 'toknes' is unknown; did you mean 'tokens'?"),
        (tasks({"id": "a"}, gaol="x"), "the key 'gaol' is unknown; did you mean 'goal'?"),
        (tasks({"id": "a"}, zzz=1), "the key 'zzz' is unknown; the known ones are name, goal, tasks"),
        # Oversight of the whole is stated of jobs in Python: a graph names what verifies each of its tasks.
        (tasks({"id": "a"}, oversight={"audit": {}}), "the key 'oversight' is unknown; the known ones are name, goal"),
        (tasks({"id": "a", "depends_on": [{"task": "a", "why": 1}]}), "the known ones are task, coupling, reason"),
        (tasks({"id": "a"}, prices={"m": {"input": 1, "output": 1, "euro": 1}}), "prices.m: the key 'euro' is unknown"),
        (tasks({"id": "a"}, prices=[]), "prices: must be an object, not a list"),
        (tasks({"id": "a"}, priors={"task_token": 1}), "priors: the key 'task_token' is unknown; did you mean"),
        (
            tasks({"id": "a"}, organisation={"structure": "round"}),
            "organisation.structure: must be one of single, flat",
        ),
        (tasks({"id": "a"}, organisation=3), "organisation: must be an object, not 3"),
        (tasks({"id": "a"}, name=None), "name: must be a text, not null"),
        (tasks({"id": "a"}, name={}), "name: must be a text, not an object"),
        (
            tasks({"id": "a", "needs": ["p"]}),
            "task 'a' needs the phase 'p', which is not a phase before its own (it has",
        ),
        (
            tasks({"id": "a", "phase": "p", "needs": ["p"]}),
            "needs the phase 'p', which is not a phase before its own ('p'",
        ),
        (
            tasks({"id": "a", "phase": "q", "needs": ["p"]}, {"id": "b", "phase": "p"}),
            "task 'a' needs the phase 'p', which is not a phase before its own ('q')",
        ),
        (tasks(), "the graph has no tasks"),
        ({}, "the graph has no tasks"),
        ({"tasks": {"a": {}}}, "tasks: must be a list, not an object"),
        ([], "a task graph is an object"),
        ("null", "a task graph is an object"),
        ("", "the file is empty"),
        (" \n", "the file is empty"),
        ('{"tasks": [{"id": "a"},]}', "this is not JSON, at line 1, column 24"),
        ('{"tasks":\n  nothing}', "this is not JSON, at line 2, column 3"),
        (
            '{"tasks": [{"id": "a", "goal": "x", "id": "b"}]}',
            "the key 'id' is given twice in the object with the id 'b'",
        ),
        ('{"name": "x", "name": "y"}', "the key 'name' is given twice; keep one"),
        ('{"prices": {"\\u001ex": 1}, "tasks": [{"id": "a"}]}', r"prices.'\x1ex'"),
        (b'{"name": "\xe9"}', "byte 10 is not UTF-8"),
        ("{}".encode("utf-16"), "byte 0 is not UTF-8"),
        ("[" * 100_000, "nested too deeply"),
        ('{"tasks":' * 100_000, "nested too deeply"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(write: Write, content: Any, said: str) -> None:
    assert said in said_about(write(content))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("tasks: [\n", "this is not YAML at line 2, column 1"),
        ("tasks:\n\t- id: a", "this is not YAML at line 2, column 1"),
        ("tasks: \x00", "this is not YAML: unacceptable character"),
        ("tasks:\n- id: a\n  seconds: .inf", "tasks[0].seconds (id 'a'): must be a number, not .inf"),
        ("tasks:\n- id: a\n  seconds: .nan", "must be a number, not .nan"),
        ("tasks:\n- id: 007", "tasks[0].id (id 7): must be a text, not 7; put it in quotes"),
        ("tasks:\n- id: a\n  irreversible: yes", "must be true or false, not 'yes'"),
        ("tasks:\n- id: a\n  id: b", "the key 'id' is given twice in the object with the id 'b'"),
        ("a: &a [x]\nb: *a", "aliases (*a at line 2, column 4) are not read; write the value out"),
        ("tasks: !!python/object/apply:os.system ['true']", "at line 1, column 8 is not read; write a plain value"),
        ("tasks: [!!str a]", "tag:yaml.org,2002:str"),
        ("? [a]\n: b", "a key at line 1, column 3 is a list or an object"),
        ("[" * 100_000, "nested too deeply"),
        ("- " * 100_000, "nested too deeply"),
        ("tasks: []\n---\ntasks: []", "there are 2 YAML documents in it"),
        ("# nothing", "there are 0 YAML documents in it"),
        ("tasks: []", "the graph has no tasks"),
        ("tasks:\n- {id: a, <<: {goal: x}}", "the key '<<' is unknown"),
    ],
)
def test_what_is_wrong_with_yaml_is_told_with_its_line(write: Write, content: str, said: str) -> None:
    assert said in said_about(write(content, ".yaml"))


@pytest.mark.parametrize(
    "content", ["tasks: [\n", "a: \x00", "a: *b", "a: !b c", "? [a]\n: b", "[" * 999, "- " * 999, "a: {a: 1, a: 2}"]
)
def test_where_libyaml_is_missing_the_same_is_refused(content: str) -> None:
    for loader in (yaml.CSafeLoader, yaml.SafeLoader):
        with pytest.raises(InvalidInput):
            parse_yaml(content, loader)


def test_where_libyaml_is_missing_the_same_is_read() -> None:
    content = yaml.safe_dump(FULL)

    assert parse_yaml(content, yaml.SafeLoader) == parse_yaml(content, yaml.CSafeLoader)


def test_an_alias_cannot_stand_for_billions_of_values(write: Write) -> None:
    layers = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 12))

    assert "aliases" in said_about(write(f"l0: &l0 [x]\n{layers}\ntasks: *l11", ".yaml"))


def test_plain_words_of_yaml_are_texts(write: Write) -> None:
    content = """
name: no          # a text, and no falsehood
goal: >
  Two lines
  in one
tasks:
- {id: 2024-01-31, seconds: 1.5e1, tokens: +7, domain: null, irreversible: True}
- {id: "5", depends_on: [2024-01-31], seconds: .5, domain: ~}
"""
    graph = read_graph(write(content, ".yml"))

    first, second = graph.tasks
    assert (graph.name, graph.goal) == ("no", "Two lines in one\n")
    assert (first.id, first.seconds, first.tokens, first.domain, first.irreversible) == (
        "2024-01-31",
        15.0,
        7,
        None,
        True,
    )
    assert (second.id, second.seconds, second.domain, second.depends_on[0].task) == ("5", 0.5, None, "2024-01-31")


def test_what_is_no_readable_file_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "a.json"
    folder.mkdir()
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)

    assert "the file does not exist; give the path" in said_about(tmp_path / "none.json")
    assert "it is not a file but a folder" in said_about(folder)
    assert "it is not a file but a pipe" in said_about(pipe)
    assert "cannot be read: File name too long" in said_about(tmp_path / f"{'n' * 255}.json")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_told(write: Write) -> None:
    file = write(FULL)
    file.chmod(0)

    assert "cannot be read: Permission denied" in said_about(file)


@pytest.mark.parametrize(("suffix", "mebibytes"), [(".json", 512), (".yaml", 64)])
def test_a_file_is_not_read_when_it_is_larger_than_any_graph(tmp_path: Path, suffix: str, mebibytes: int) -> None:
    file = tmp_path / f"large{suffix}"
    with file.open("wb") as opened:
        opened.truncate(mebibytes * 2**20 + 1)  # a hole: takes no space

    assert f"larger than {mebibytes} MiB" in said_about(file)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_chain_may_be_long_whatever_the_order_of_its_tasks(write: Write, reverse: bool) -> None:
    links = [{"id": f"t{n}", "depends_on": [f"t{n - 1}"] if n else []} for n in range(4_000)]
    graph = read_graph(write(tasks(*reversed(links) if reverse else links)))

    assert sum(len(task.depends_on) for task in graph.tasks) == 3_999


def test_a_long_cycle_is_named_in_part(write: Write) -> None:
    ring = [{"id": f"t{n}", "depends_on": [f"t{(n + 1) % 4_000}"]} for n in range(4_000)]

    assert "(3988 more)" in said_about(write(tasks(*ring)))


def test_reading_leaves_the_garbage_collector_as_it_was(write: Write) -> None:
    file = write(FULL)
    read_graph(file)
    assert gc.isenabled()

    gc.disable()
    try:
        read_graph(file)
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("path", "is_one"),
    [("a.json", True), ("b/A.YAML", True), ("a.yml", True), ("a.py", False), ("json", False), ("a.json:x", False)],
)
def test_a_task_graph_is_known_by_its_suffix(path: str, is_one: bool) -> None:
    assert is_graph_file(path) is is_one


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("audit", "audit"),
        ("Montage 2MASS, 0.5°", "Montage-2MASS-0-5"),
        ("../../etc", "etc"),
        ("größe_1", "größe_1"),
        ("", "graph"),
        ("—", "graph"),
        ("x" * 300, "x" * LONGEST_NAME),
    ],
)
def test_a_job_is_named_after_its_graph_in_letters_that_folders_may_have(name: str, expected: str) -> None:
    assert job_name(TaskGraph(name=name, goal="g", tasks=())) == expected


def read_or_refused(file: Path, content: bytes) -> TaskGraph | None:
    """Read a graph that makes sense, or say in one line why there is none: nothing else may come of a file."""
    file.write_bytes(content)
    try:
        graph = read_graph(file)
    except InvalidInput as error:
        refusal = str(error)
    else:
        ids = {task.id for task in graph.tasks}
        assert len(ids) == len(graph.tasks) > 0
        assert {dependency.task for task in graph.tasks for dependency in task.depends_on} <= ids
        return graph
    assert len(refusal.splitlines()) == 1
    return None


suffixes = st.sampled_from([".json", ".yaml"])
FUZZED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@FUZZED
@given(content=st.binary(max_size=200), suffix=suffixes)
def test_any_bytes_are_a_graph_or_one_line(tmp_path: Path, content: bytes, suffix: str) -> None:
    read_or_refused(tmp_path / f"fuzz{suffix}", content)


@FUZZED
@given(content=st.text("{}[]:,-&*!?|>'\"#%@`~ \n\tab1.", max_size=60))
def test_any_punctuation_is_a_graph_or_one_line(tmp_path: Path, content: str) -> None:
    read_or_refused(tmp_path / "fuzz.yaml", content.encode())


@FUZZED
@given(document=plain, suffix=suffixes)
def test_any_json_value_is_a_graph_or_one_line(tmp_path: Path, document: Any, suffix: str) -> None:
    read_or_refused(tmp_path / f"fuzz{suffix}", json.dumps(document).encode())


@FUZZED
@given(data=st.data())
def test_a_graph_that_is_changed_somewhere_is_a_graph_or_one_line(tmp_path: Path, data: st.DataObject) -> None:
    document = json.loads(json.dumps(FULL))
    for _ in range(data.draw(st.integers(1, 3))):
        place: Any = document
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = data.draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans()):
                place = place[key]
                continue
            place[key] = data.draw(plain | st.sampled_from(["write", "ship", "check", 10**30, [], {}]))
            break

    read_or_refused(tmp_path / "fuzz.json", json.dumps(document).encode())


@FUZZED
@given(edges=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=14))
def test_a_graph_is_read_exactly_when_it_has_no_cycle(tmp_path: Path, edges: list[tuple[int, int]]) -> None:
    document = tasks(*({"id": str(n), "depends_on": [str(b) for a, b in edges if a == n]} for n in range(8)))
    graph = read_or_refused(tmp_path / "fuzz.json", json.dumps(document).encode())

    left = set(edges)
    for _ in range(8):  # take away what uses nothing that is left, until nothing changes
        left = {(a, b) for a, b in left if any(c == b for c, _ in left)}
    assert (graph is not None) == (not left)
