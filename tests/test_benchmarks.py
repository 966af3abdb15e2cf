"""Benchmarks are run by hand, so that what they need of the framework must be there all the same."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


def names_needed(script: Path) -> Iterator[tuple[str, str]]:
    """Yield what a script imports from the framework: module, name."""
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "echelon":
            yield from ((str(node.module), alias.name) for alias in node.names)


def is_there(module: str, name: str) -> bool:
    if hasattr(import_module(module), name):
        return True
    try:
        import_module(f"{module}.{name}")
    except ModuleNotFoundError:
        return False
    return True


@pytest.mark.parametrize("script", sorted(BENCHMARKS.rglob("*.py")), ids=lambda script: script.stem)
def test_what_a_benchmark_needs_of_the_framework_is_there(script: Path) -> None:
    assert [f"{module}.{name}" for module, name in names_needed(script) if not is_there(module, name)] == []
