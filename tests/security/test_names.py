"""Names that jobs and files come up with: on record and shown whatever they are, or refused in one line."""

import asyncio
import json
from pathlib import Path

import pytest

from echelon import Job, agent
from echelon.definition.definition import NoInputs
from echelon.definition.expansion import expand
from echelon.definition.graph_file.read import read_graph
from echelon.definition.names import MAX_NAME, recordable_name
from echelon.engine.run import RunOptions, run_job
from echelon.model.errors import InvalidInput

STRANGE = ["a\x00b", "a\nb", "\x1b[2J", "\u202egnp.exe", "x" * 10_000, "é" * 201]


@agent
def look(item: str) -> int:
    """Measure a name."""
    return len(item)


def looking(names: list[str]) -> Job:
    job = Job("looking", goal="Measure names")
    job.phase("look", each=look, over=lambda: names, domain=lambda name: name)
    return job


@pytest.mark.parametrize("name", STRANGE, ids=lambda name: ascii(name)[:20])
def test_a_strange_name_gets_one_that_every_database_keeps(name: str) -> None:
    kept = recordable_name(name)

    assert kept.isprintable()
    assert len(kept) < MAX_NAME
    assert kept != recordable_name(f"{name}!")


def test_an_ordinary_name_stays_as_it_is() -> None:
    names = ["src/a b.py", "größe/大.md", "x" * MAX_NAME]

    assert [recordable_name(name) for name in names] == names


def test_a_run_over_strange_names_is_carried_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path))
    monkeypatch.setenv("ECHELON_PICTURE", "false")
    result = asyncio.run(run_job(looking(STRANGE), NoInputs(), RunOptions()))

    assert (result.launched, result.returned) == (len(STRANGE), len(STRANGE))
    assert sorted(result.output.values()) == sorted(map(len, STRANGE))  # type: ignore[attr-defined]


def test_two_long_names_with_one_beginning_are_two_tasks() -> None:
    calls = expand(looking(["x" * 500 + "a", "x" * 500 + "b"]), NoInputs()).calls

    assert len(calls) == 2


@pytest.mark.parametrize("key", ["name", "domain", "phase", "capability", "model"])
@pytest.mark.parametrize("trap", ["\x1b[2J", "\x00", "\u2028"], ids=ascii)
def test_a_task_graph_with_control_characters_in_it_is_refused_in_one_line(tmp_path: Path, key: str, trap: str) -> None:
    task = {"id": "a"} | ({} if key == "name" else {key: f"x{trap}"})
    graph = {"tasks": [task]} | ({"name": f"x{trap}"} if key == "name" else {})
    (tmp_path / "graph.json").write_text(json.dumps(graph))

    with pytest.raises(InvalidInput, match=rf"{key}.* must not contain control characters") as refused:
        read_graph(tmp_path / "graph.json")
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("attempts", [[0], [-1], [1, 0]])
def test_attempts_of_a_task_graph_are_one_at_least(tmp_path: Path, attempts: list[int]) -> None:
    (tmp_path / "graph.json").write_text(json.dumps({"tasks": [{"id": "a", "attempts": attempts}]}))

    with pytest.raises(InvalidInput, match="attempts"):
        read_graph(tmp_path / "graph.json")
