"""The rules of the house that no linter holds: sizes, imports, words, and rules that are cited."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("echelon", "flows", "tasks", "contracts", "deployments")
MODULES = sorted(file for room in ROOMS for file in (ROOT / room).rglob("*.py"))
RULES = ROOT / "docs" / "rules.md"

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40

#: Where things are written that people read; what git and tools leave behind is not ours.
TEXTS = (*ROOMS, "tests", "benchmarks", "docs", "README.md", "CHANGELOG.md", "pyproject.toml", "Makefile", ".ci")

#: Words of the place where this was written, and hosts that only that place knows. Put together here, so that this
#: file has none of them.
FORBIDDEN = tuple(
    "".join(parts) for parts in (("/", "work", "/"), ("sha", "red/"), ("artifac", "tory"), ("nex", "us."))
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def named(file: Path) -> str:
    return str(file.relative_to(ROOT))


def functions(file: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, Function):
            yield node


def length(function: Function) -> int:
    """Count the lines of what a function does: neither how it is called nor its docstring."""
    first = function.body[1 if ast.get_docstring(function) is not None and len(function.body) > 1 else 0]
    return (function.end_lineno or 0) - first.lineno + 1


def imports_of_ours(function: Function) -> list[str]:
    found: list[str] = []
    for node in ast.walk(function):
        if isinstance(node, ast.ImportFrom):
            found.append(node.module or "")
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
    return [module for module in found if module.split(".")[0] in ROOMS]


def texts() -> Iterator[Path]:
    for name in TEXTS:
        place = ROOT / name
        yield from (file for file in place.rglob("*") if file.is_file()) if place.is_dir() else [place]


def test_a_file_is_short() -> None:
    lengths = {named(file): len(file.read_text(encoding="utf-8").splitlines()) for file in MODULES}

    assert {file: lines for file, lines in lengths.items() if lines > MAX_FILE_LINES} == {}


def test_a_function_is_short() -> None:
    lengths = {f"{named(file)}:{one.name}": length(one) for file in MODULES for one in functions(file)}

    assert {function: lines for function, lines in lengths.items() if lines > MAX_FUNCTION_LINES} == {}


def test_a_package_is_imported_at_the_top_of_a_file() -> None:
    inside = {f"{named(file)}:{one.name}": imports_of_ours(one) for file in MODULES for one in functions(file)}

    assert {function: modules for function, modules in inside.items() if modules} == {}


def test_no_word_tells_where_this_was_written() -> None:
    suffixes = {".py", ".md", ".toml", ".yaml", ".yml", ".j2", ".css", ".json", ""}
    found = {
        named(file): [word for word in FORBIDDEN if word in file.read_text(encoding="utf-8", errors="replace")]
        for file in texts()
        if file.exists() and file.suffix in suffixes
    }

    assert {file: words for file, words in found.items() if words} == {}


@pytest.mark.skipif(not RULES.exists(), reason="the rules are not written down here")
def test_every_rule_that_is_cited_is_written_down() -> None:
    known = set(re.findall(r"\b[A-Z]\d{1,2}\b", RULES.read_text(encoding="utf-8")))
    cited = {
        rule: named(file)
        for file in MODULES
        for rule in re.findall(r"(?<=[(,; ])[RDCXFOVMLG]\d{1,2}(?=[),;: ])", file.read_text(encoding="utf-8"))
    }

    assert {rule: where for rule, where in cited.items() if rule not in known} == {}
    assert len(cited) > 20
