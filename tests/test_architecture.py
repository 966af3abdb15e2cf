"""The rules of the house that no linter holds, as one table: each says what is wrong and where.

What may import what is held by import-linter (`make lint`).
"""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("echelon", "flows", "tasks", "contracts", "deployments")
MODULES = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
RULES_OF_THE_SPECIFICATION = ROOT / "docs" / "rules.md"

MAX_FILES = 25  # in a folder
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50

#: What is known to break a rule and is being rewritten: rule → places. A place that breaks its rule no longer must go.
KNOWN: dict[str, frozenset[str]] = {}


#: Where things are written that people read; what git and tools leave behind is not ours.
TEXTS = (*PACKAGES, "tests", "benchmarks", "docs", "README.md", "CHANGELOG.md", "pyproject.toml", "Makefile", ".ci")

#: Words of the place where this was written, and hosts that only that place knows. Put together here, so that this
#: file has none of them.
FORBIDDEN = tuple(
    "".join(parts) for parts in (("/", "work", "/"), ("sha", "red/"), ("artifac", "tory"), ("nex", "us."))
)

#: Verbs do, nouns are, participles return a changed copy of what they are given: a coroutine does.
PARTICIPLE = re.compile(
    r"^_?[a-z]+ed(_|$)"
    r"|^_?(told|made|gone|seen|done|kept|given|taken|found|held|left|sent|written|drawn|lost|shown|put|set_up)(_|$)"
)

OUR_MODULE = re.compile(rf"({'|'.join(PACKAGES)})(\.\w+)+")

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Rule(NamedTuple):
    """A rule of the house."""

    says: str
    """What holds."""
    broken: Callable[[], Iterator[tuple[str, object]]]
    """Yields the places where it does not hold, each with what is there."""


def named(file: Path) -> str:
    return str(file.relative_to(ROOT))


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def functions(file: Path) -> Iterator[Function]:
    return (node for node in ast.walk(parsed(file)) if isinstance(node, Function))


def length(function: Function) -> int:
    """Count the lines of what a function does: neither how it is called nor its docstring."""
    first = function.body[1 if ast.get_docstring(function) is not None and len(function.body) > 1 else 0]
    return (function.end_lineno or 0) - first.lineno + 1


def crowded_folders() -> Iterator[tuple[str, object]]:
    files = [*MODULES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]
    counts = Counter(named(file.parent) for file in files if file.name != "__init__.py")
    yield from ((folder, number) for folder, number in counts.items() if number > MAX_FILES)


def long_files() -> Iterator[tuple[str, object]]:
    lengths = {named(file): len(file.read_text(encoding="utf-8").splitlines()) for file in MODULES}
    yield from ((file, lines) for file, lines in lengths.items() if lines > MAX_FILE_LINES)


def long_functions() -> Iterator[tuple[str, object]]:
    for file in MODULES:
        yield from (
            (f"{named(file)}:{one.name}", length(one)) for one in functions(file) if length(one) > MAX_FUNCTION_LINES
        )


def shared_class_names() -> Iterator[tuple[str, object]]:
    places: dict[str, list[str]] = defaultdict(list)
    for file in MODULES:
        for node in ast.walk(parsed(file)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(named(file))
    yield from ((name, files) for name, files in places.items() if len(files) > 1)


def coroutines_named_by_participles() -> Iterator[tuple[str, object]]:
    for file in MODULES:
        for one in functions(file):
            if isinstance(one, ast.AsyncFunctionDef) and PARTICIPLE.search(one.name):
                yield f"{named(file)}:{one.name}", "give it a verb"


def imports_by_string() -> Iterator[tuple[str, object]]:
    for file in MODULES:
        nodes = list(ast.walk(parsed(file)))
        if any(isinstance(node, ast.Attribute | ast.Name) and named_by(node) == "import_module" for node in nodes):
            logs = {
                node.args[0]
                for node in nodes
                if isinstance(node, ast.Call) and named_by(node.func) == "getLogger" and node.args
            }
            texts = [node.value for node in nodes if isinstance(node, ast.Constant) and node not in logs]
            if ours := sorted(text for text in texts if isinstance(text, str) and OUR_MODULE.fullmatch(text)):
                yield named(file), ours


def named_by(node: ast.expr) -> str:
    return getattr(node, "attr", getattr(node, "id", ""))


def imports_inside_functions() -> Iterator[tuple[str, object]]:
    for file in MODULES:
        for one in functions(file):
            found = set(imported_by(one))
            if ours := sorted(module for module in found if module.split(".")[0] in PACKAGES):
                yield f"{named(file)}:{one.name}", ours


def imported_by(function: Function) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def words_of_this_place() -> Iterator[tuple[str, object]]:
    suffixes = {".py", ".md", ".toml", ".yaml", ".yml", ".j2", ".css", ".json", ""}
    for file in texts():
        if file.exists() and file.suffix in suffixes:
            text = file.read_text(encoding="utf-8", errors="replace")
            if words := [word for word in FORBIDDEN if word in text]:
                yield named(file), words


def texts() -> Iterator[Path]:
    for name in TEXTS:
        place = ROOT / name
        yield from (file for file in place.rglob("*") if file.is_file()) if place.is_dir() else [place]


RULES = (
    Rule(f"a folder has {MAX_FILES} files at most", crowded_folders),
    Rule(f"a file has {MAX_FILE_LINES} lines at most", long_files),
    Rule(f"a function has {MAX_FUNCTION_LINES} lines at most", long_functions),
    Rule("no class name stands for two classes", shared_class_names),
    Rule("a coroutine is named by a verb", coroutines_named_by_participles),
    Rule("a module of ours is not imported by a string", imports_by_string),
    Rule("a package is imported at the top of a file", imports_inside_functions),
    Rule("no word says where this was written", words_of_this_place),
)


@pytest.mark.parametrize("rule", RULES, ids=[rule.says.replace(" ", "-") for rule in RULES])
def test_the_rules_of_the_house(rule: Rule) -> None:
    broken, known = dict(rule.broken()), KNOWN.get(rule.says, frozenset())

    assert {place: what for place, what in broken.items() if place not in known} == {}, f"broken: {rule.says}"
    assert known - broken.keys() == set(), f"no longer broken, take it out of KNOWN: {rule.says}"


@pytest.mark.skipif(not RULES_OF_THE_SPECIFICATION.exists(), reason="the rules are not written down here")
def test_every_rule_that_is_cited_is_written_down() -> None:
    known = set(re.findall(r"\b[A-Z]\d{1,2}\b", RULES_OF_THE_SPECIFICATION.read_text(encoding="utf-8")))
    cited = {
        rule: named(file)
        for file in MODULES
        for rule in re.findall(r"(?<=[(,; ])[RDCXFOVMLG]\d{1,2}(?=[),;: ])", file.read_text(encoding="utf-8"))
    }

    assert {rule: where for rule, where in cited.items() if rule not in known} == {}
    assert len(cited) > 20
