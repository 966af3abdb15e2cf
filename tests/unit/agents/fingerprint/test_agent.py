"""The version of an agent's code changes with what it executes, and with nothing else (F8)."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon import Handoffs, agent, command
from echelon.agents.fingerprint.agent import changed_parts, fingerprint_of, has_changed
from echelon.agents.function import FunctionAgent

ROOT = Path(__file__).parents[4]

PLAIN = """
@agent
def look(item: str, limit: int = 3) -> list[str]:
    '''Look.'''
    return [word for word in item.split() if word not in {"a", "the", "of"}][:limit]
"""


def version(source: str) -> str:
    names: dict[str, Any] = {"agent": agent, "Handoffs": Handoffs}
    exec(source, names)
    return fingerprint_of(names["look"])


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
    program = "from tests.unit.agents.fingerprint.test_agent import PLAIN, version; print(version(PLAIN))"
    told = {subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True).strip() for _ in range(2)}

    assert told == {version(PLAIN)}


HELPED = """
import functools, dataclasses, json
from echelon import agent

LIMIT = 3

def bound(limit):
    return lambda items: items[:limit]

def clean(item):
    'Clean.'
    return item.strip() if item else deep(item)

def deep(item):
    return clean(item.lower())

@functools.lru_cache
def kept(item):
    return item != "no"

@dataclasses.dataclass
class OperatorDecision:
    text: str
    weight: int = 1

    @property
    def heavy(self):
        return self.weight > 2

    @staticmethod
    def of(item):
        return OperatorDecision(item)

first = bound(LIMIT)

@agent
def other(item: str) -> str:
    return "other"

def unused(item):
    return 1

@agent
def look(item: str) -> list[str]:
    return [OperatorDecision.of(clean(one)).text for one in first(json.loads(item)) if kept(one)] + [other(item)]
"""


def helped(old: str = "", new: str = "", *, project: str = "project") -> str:
    names = vars(ModuleType(project))
    sys.modules.setdefault(project, ModuleType(project))  # dataclasses look their module up
    exec(HELPED.replace(old, new), names)
    return fingerprint_of(names["look"])


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(("strip()", "rstrip()"), id="helper"),
        pytest.param(("lower()", "upper()"), id="helper-of-a-helper-in-a-cycle"),
        pytest.param(('!= "no"', '!= "nothing"'), id="helper-with-a-cache"),
        pytest.param(("LIMIT = 3", "LIMIT = 4"), id="constant-in-a-closure"),
        pytest.param(("> 2", "> 3"), id="property-of-a-class"),
        pytest.param(("return OperatorDecision(item)", "return OperatorDecision(item, 2)"), id="static-method"),
        pytest.param(("weight: int = 1", "weight: int = 2"), id="default-of-a-field"),
        pytest.param(("weight: int = 1", "weight: float = 1"), id="kind-of-a-field"),
        pytest.param(('return "other"', 'return "another"'), id="agent-that-is-called"),
    ],
)
def test_what_a_helper_executes_counts_and_is_told_as_such(change: tuple[str, str]) -> None:
    assert has_changed(helped(), helped(*change))
    assert changed_parts(helped(), helped(*change)) == ("what it calls",)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(("    return item.strip", "    # why\n    return item.strip"), id="comment"),
        pytest.param(("Clean.", "Clean it well."), id="docstring"),
        pytest.param(("return 1", "return 2"), id="not-called"),
    ],
)
def test_what_a_helper_does_not_execute_changes_nothing(change: tuple[str, str]) -> None:
    assert helped(*change) == helped()


def test_a_script_has_the_same_version_where_it_is_imported_and_in_every_process() -> None:
    program = "from tests.unit.agents.fingerprint.test_agent import helped; print(helped(project='__main__'))"
    told = {subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True).strip() for _ in range(2)}

    assert told == {helped()}


STATED = """
import enum, functools, re
from datetime import timedelta
from pathlib import Path
from echelon import agent

LIMIT = 3
RATIO = 0.5
ROOT = Path("/data")
WAIT = timedelta(seconds=5)
NAMES = ("a", "b")
KNOWN = frozenset({"x", "y"})
WEIGHTS = {"a": 1, "b": 2}
ORDER = ["first", "second"]
_FOUND = re.compile("[a-z]+")
cache = {}

class Level(enum.Enum):
    LOW = 1
    HIGH = 2

class Rules:
    strict = True

    def hold(self):
        return self.strict

def scaled(by, value):
    return by * value

def lower(value):
    return value - 1

twice = functools.partial(scaled, 2)
STEPS = {"down": lower}

@agent
def look(item: str) -> object:
    cache[item] = LIMIT
    return (
        RATIO, ROOT, WAIT, NAMES, KNOWN, WEIGHTS, ORDER, _FOUND,
        Level.LOW, Rules().hold(), twice(LIMIT), STEPS["down"](1),
    )
"""


def stated(old: str = "", new: str = "") -> str:
    names = vars(ModuleType("project"))
    exec(STATED.replace(old, new), names)
    return fingerprint_of(names["look"])


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(("LIMIT = 3", "LIMIT = 4"), id="number"),
        pytest.param(("RATIO = 0.5", "RATIO = 0.6"), id="share"),
        pytest.param(('"/data"', '"/other"'), id="path"),
        pytest.param(("seconds=5", "seconds=6"), id="duration"),
        pytest.param(('("a", "b")', '("a", "c")'), id="tuple"),
        pytest.param(('{"x", "y"}', '{"x", "z"}'), id="set"),
        pytest.param(('"b": 2', '"b": 3'), id="value-of-a-table"),
        pytest.param(('"b": 2', '"c": 2'), id="key-of-a-table"),
        pytest.param(('["first", "second"]', '["second", "first"]'), id="order-of-a-list"),
        pytest.param(("[a-z]+", "[a-z]*"), id="pattern"),
        pytest.param(("LOW = 1", "LOW = 0"), id="member-of-an-enumeration"),
        pytest.param(("HIGH = 2", "HIGH = 3"), id="another-member"),
        pytest.param(("strict = True", "strict = False"), id="attribute-of-a-class"),
        pytest.param(("(scaled, 2)", "(scaled, 3)"), id="argument-of-a-partial"),
        pytest.param(("by * value", "by + value"), id="function-of-a-partial"),
        pytest.param(("value - 1", "value - 2"), id="function-in-a-table"),
    ],
)
def test_constants_that_code_names_are_part_of_it(change: tuple[str, str]) -> None:
    assert has_changed(stated(), stated(*change))


def test_what_is_filled_while_a_run_is_at_work_is_not() -> None:
    assert stated("cache = {}", "cache = {'seen': 1}") == stated()


def test_constants_are_written_down_in_the_same_way_in_every_process() -> None:
    program = "from tests.unit.agents.fingerprint.test_agent import stated; print(stated())"
    told = {subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True).strip() for _ in range(3)}

    assert told == {stated()}


def test_packages_that_lie_beside_each_other_are_one_project_and_what_is_installed_is_not(tmp_path: Path) -> None:
    """`flows/` uses `tasks/`, as every project that `echelon init` makes does."""
    (tmp_path / "ours_flows").mkdir()
    (tmp_path / "ours_tasks").mkdir()
    (tmp_path / "lib" / "site-packages").mkdir(parents=True)
    (tmp_path / "ours_flows" / "job.py").write_text(
        "import ours_tasks.work as work, theirs\n"
        "from echelon import agent\n"
        "@agent\ndef look(item: str) -> object:\n    return work.helper(item), theirs.helper(item)\n"
    )
    program = (
        "import sys; sys.path[:0] = sys.argv[1:3]\n"
        "from echelon.agents.fingerprint.agent import fingerprint_of\n"
        "from ours_flows.job import look; print(fingerprint_of(look))"
    )
    paths = [str(tmp_path), str(tmp_path / "lib" / "site-packages")]

    def version_with(ours: int, theirs: int) -> str:
        (tmp_path / "ours_tasks" / "work.py").write_text(f"LIMIT = {ours}\ndef helper(item): return LIMIT\n")
        (tmp_path / "lib" / "site-packages" / "theirs.py").write_text(f"def helper(item): return {theirs}\n")
        return subprocess.check_output([sys.executable, "-B", "-c", program, *paths], cwd=ROOT, text=True).strip()

    first = version_with(1, 1)
    assert first == version_with(1, 2)
    assert has_changed(first, version_with(2, 1))


def test_what_a_library_does_is_not_followed() -> None:
    names: dict[str, Any] = {"__name__": "project", "agent": agent}
    versions: set[str] = set()
    for factor in (1, 2):
        exec(f"def helper(item):\n    return {factor}\nhelper.__module__ = 'library'", names)
        exec("@agent\ndef look(item: str) -> int:\n    return helper(item)", names)
        versions.add(fingerprint_of(names["look"]))

    assert len(versions) == 1


def test_helpers_in_a_module_of_the_project_count_and_what_a_function_sets_itself_does_not() -> None:
    module = ModuleType("project.helpers")
    versions: list[str] = []
    source = """
def made(count):
    @agent
    def look(item: str) -> int:
        nonlocal count
        count += 1
        return helpers.helper(item)
    return look
"""
    for factor in (1, 2, 2):
        exec(f"def helper(item):\n    return {factor}", vars(module))
        names: dict[str, Any] = {"__name__": "project.work", "agent": agent, "helpers": module}
        exec(source, names)
        versions.append(fingerprint_of(names["made"](len(versions))))

    assert versions[0] != versions[1] == versions[2]


def test_a_name_of_a_closure_that_is_not_set_yet_is_no_trouble() -> None:
    def look(item: str) -> int:
        return later(item)

    assert fingerprint_of(agent(look)).startswith("function-")

    def later(item: str) -> int:
        return len(item)

    assert look("it") == 2


@given(st.integers(), st.integers(), st.text(st.characters(codec="ascii"), max_size=5))
def test_versions_are_equal_exactly_when_the_code_is(one: int, other: int, documentation: str) -> None:
    def made(factor: int, documentation: str) -> str:
        names: dict[str, Any] = {"__name__": "project", "agent": agent}
        helper = f"def helper(item):\n    {documentation!r}\n    return item * ({factor})"
        exec(f"{helper}\n@agent\ndef look(item: int) -> int:\n    return helper(item)", names)
        return fingerprint_of(names["look"])

    assert (made(one, documentation) == made(other, "other")) is (one == other)


class _Counting:
    def __call__(self, item: str) -> int:
        return len(item)


def test_an_object_of_your_own_has_no_version() -> None:
    counting: Any = _Counting()
    counted = replace(command(["ls"]), parse=counting)

    assert fingerprint_of(counting) == ""
    assert fingerprint_of(FunctionAgent(function=counting, name="count", goal="Count", output_type=int)) == ""
    assert changed_parts(fingerprint_of(command(["ls"])), fingerprint_of(counted)) == ("how its output is read",)


def test_how_a_command_is_read_is_part_of_it() -> None:
    def counted(text: str) -> int:
        return len(text)

    first, other = command(["ls"]), command(["ls"], parse=counted, output=int)

    assert changed_parts(fingerprint_of(first), fingerprint_of(other)) == ("how its output is read",)


def test_a_command_is_its_arguments() -> None:
    first, same, other = (
        command(["ls", "{path}"]),
        command(["ls", "{path}"], timeout=3),
        command(["ls", "-l", "{path}"]),
    )

    assert fingerprint_of(first) == fingerprint_of(same)
    assert has_changed(fingerprint_of(first), fingerprint_of(other))


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
