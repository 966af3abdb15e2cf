"""Measuring one module: sizes, cyclomatic complexity, maintainability. Pure; radon does the counting."""

import ast
from collections.abc import Iterator
from typing import Any

from radon.metrics import h_visit_ast, mi_compute
from radon.raw import analyze
from radon.visitors import Class, ComplexityVisitor, Function

from contracts.modules import Metrics
from tasks.sources import UnreadableError, parse

#: From here on a function counts as complex; the boundary of McCabe's paper.
COMPLEX = 10


def measure(source: str) -> Metrics:
    """Measure source text; `UnreadableError` when it is not Python."""
    tree = parse(source)
    try:
        blocks = ComplexityVisitor.from_ast(tree)
        raw = analyze(source)
        index = _maintainability(tree, raw, blocks.total_complexity)
    except RecursionError as error:
        raise UnreadableError("it is nested too deeply to be measured") from error
    functions = list(_functions(blocks))
    worst = max(functions, key=lambda one: (one.complexity, -one.lineno), default=None)
    return Metrics(
        lines=raw.loc,
        code_lines=raw.sloc,
        maintainability=index,
        functions=len(functions),
        complex_functions=sum(one.complexity > COMPLEX for one in functions),
        worst_complexity=worst.complexity if worst else 0,
        worst_function=worst.fullname if worst else "",
        worst_line=worst.lineno if worst else None,
    )


def _functions(visitor: ComplexityVisitor) -> Iterator[Function]:
    yield from visitor.functions
    classes: list[Class] = list(visitor.classes)
    while classes:
        found = classes.pop()
        yield from found.methods
        classes.extend(found.inner_classes)


def _maintainability(tree: ast.Module, raw: Any, complexity: int) -> float:
    """Compute the index as radon's `mi_visit` does, without parsing a second and a third time."""
    volume = h_visit_ast(tree).total.volume
    comments = (raw.comments + raw.multi) / raw.sloc * 100 if raw.sloc else 0.0
    return float(mi_compute(volume, complexity, raw.lloc, comments))
