"""The version of an agent's code changes with what it executes, and with nothing else (F8)."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from echelon import Handoffs, agent, command
from echelon.agents.code import code_of, has_changed

ROOT = Path(__file__).parents[3]

PLAIN = """
@agent
def look(item: str, limit: int = 3) -> list[str]:
    '''Look.'''
    return [word for word in item.split() if word not in {"a", "the", "of"}][:limit]
"""


def version(source: str) -> str:
    names: dict[str, Any] = {"agent": agent, "Handoffs": Handoffs}
    exec(source, names)
    return code_of(names["look"])


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(("    return", "    # why\n\n    return"), id="comment"),
        pytest.param(("\n@agent", "\n\n\n@agent"), id="line"),
        pytest.param(("Look.", "Look, and say what is there."), id="docstring"),
        pytest.param(("@agent", "@agent(effect='write', timeout=3)"), id="policy"),
        pytest.param(("[word for word", "[ word  for word"), id="format"),
    ],
)
def test_what_is_not_executed_changes_nothing(change: tuple[str, str]) -> None:
    assert version(PLAIN.replace(*change)) == version(PLAIN)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(("split()", "split(',')"), id="constant"),
        pytest.param(('"the"', '"this"'), id="constant-of-a-set"),
        pytest.param(("not in", "in"), id="operator"),
        pytest.param(("[:limit]", ""), id="expression"),
        pytest.param(("= 3", "= 4"), id="default"),
        pytest.param((".split", ".strip"), id="name"),
    ],
)
def test_what_is_executed_makes_another_version(change: tuple[str, str]) -> None:
    assert has_changed(version(PLAIN), version(PLAIN.replace(*change)))


def test_the_version_is_the_same_in_every_process() -> None:
    program = "from tests.unit.agents.test_code import PLAIN, version; print(version(PLAIN))"
    told = {subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True).strip() for _ in range(2)}

    assert told == {version(PLAIN)}


def test_a_command_is_its_arguments() -> None:
    first, same, other = (
        command(["ls", "{path}"]),
        command(["ls", "{path}"], timeout=3),
        command(["ls", "-l", "{path}"]),
    )

    assert code_of(first) == code_of(same)
    assert has_changed(code_of(first), code_of(other))


@pytest.mark.parametrize(
    ("before", "now", "changed"),
    [
        pytest.param("cpython-311:a", "cpython-311:b", True, id="F8-another"),
        pytest.param("cpython-311:a", "cpython-311:a", False, id="F8-the-same"),
        pytest.param("cpython-311:a", "cpython-312:b", False, id="F8-another-python"),
        pytest.param("", "cpython-311:b", False, id="F8-written-before-versions"),
        pytest.param("cpython-311:a", "", False, id="F8-no-code-any-more"),
    ],
)
def test_only_versions_that_can_be_compared_differ(before: str, now: str, changed: bool) -> None:
    assert has_changed(before, now) is changed
