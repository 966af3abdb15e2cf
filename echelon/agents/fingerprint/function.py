"""What a function executes, its own and that of the project it belongs to: what it calls counts as its code (F8). Pure.

Followed are functions and classes that it names, or that stand in a table that it names, if they are of the same
project: the top-level package or script, and those that lie beside it. What libraries do is their affair. Constants
that it names count too. No name of a module is written down, since a script is called differently where it is imported.
"""

import dis
from collections import deque
from collections.abc import Iterable, Iterator
from enum import Enum
from functools import lru_cache
from inspect import getattr_static
from types import CellType, CodeType, FunctionType, ModuleType
from typing import cast

from echelon.agents.fingerprint.constants import constants_in, is_constant, parts_of, value_of
from echelon.agents.fingerprint.project import Project, project_of
from echelon.agents.function import FunctionAgent

#: Functions and classes that are followed from one function; what is further away does not count.
MAX_FOLLOWED = 1000

Followed = FunctionType | type


@lru_cache(maxsize=16_384)
def executed_by(function: FunctionType) -> str:
    """Write down what a function itself executes: code, defaults, and the constants that it names or holds."""
    defaults = (function.__defaults__, function.__kwdefaults__)
    held = [f"{name}={value_of(value)}" for name, value in _held(function) if is_constant(value)]
    named = constants_in(_named(function, project_of(function.__module__)))
    return "\0".join((*_executed(function.__code__, function.__doc__), value_of(defaults), *held, *named))


def reached_from(function: FunctionType) -> Iterator[str]:
    """Yield what the functions and classes execute that a function refers to, directly and through others."""
    project = project_of(function.__module__)
    waiting, known = deque(_referred(function, project)), {id(function)}
    while waiting and len(known) <= MAX_FOLLOWED:
        one = waiting.popleft()
        if id(one) in known:
            continue
        known.add(id(one))
        if isinstance(one, type):
            yield f"{one.__qualname__}\0{_fields_of(one, project)}"
            waiting.extend(_methods_of(one, project))
        else:
            yield f"{one.__qualname__}\0{executed_by(one)}"
            waiting.extend(_referred(one, project))


def function_in(value: object) -> FunctionType | None:
    """Return the function behind a value that wraps one, such as an agent or a cache; None when there is none."""
    if isinstance(value, FunctionAgent):
        value = value.function
    elif isinstance(value, staticmethod | classmethod):
        value = cast("staticmethod[..., object]", value).__func__
    elif isinstance(value, property):
        value = value.fget
    inner = getattr_static(value, "__wrapped__", None)  # static: whatever a module holds must not be woken up
    found = value if isinstance(value, FunctionType) else inner
    return found if isinstance(found, FunctionType) else None


def _executed(code: CodeType, documentation: str | None) -> Iterator[str]:
    yield code.co_code.hex()
    yield repr((code.co_names, code.co_varnames, code.co_freevars, code.co_argcount, code.co_kwonlyargcount))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _executed(constant, None)
        elif documentation is None or constant != documentation:
            yield value_of(constant)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _held(function: FunctionType) -> Iterator[tuple[str, object]]:
    """Yield what a closure holds, by name; what the function itself sets is no part of its code."""
    if not function.__closure__:
        return
    written = {
        instruction.argval
        for code in _codes(function.__code__)
        for instruction in dis.get_instructions(code)
        if instruction.opname == "STORE_DEREF"
    }
    for name, cell in zip(function.__code__.co_freevars, function.__closure__, strict=True):
        if name not in written:
            yield from ((name, value) for value in _contents(cell))


def _contents(cell: CellType) -> list[object]:
    try:
        return [cell.cell_contents]
    except ValueError:  # nothing was put into it yet, as in a function that is defined further down
        return []


def _named(function: FunctionType, project: Project) -> Iterator[tuple[str, object]]:
    """Yield what a function names: values of its own module, and of modules of its project that it names."""
    names = sorted({name for code in _codes(function.__code__) for name in code.co_names})
    own = [(name, function.__globals__[name]) for name in names if name in function.__globals__]
    yield from own
    for _, module in own:
        if isinstance(module, ModuleType) and project.has(module.__name__):
            yield from ((name, vars(module)[name]) for name in names if name in vars(module))


def _referred(function: FunctionType, project: Project) -> Iterator[Followed]:
    """Yield the functions and classes of a project that a function names, or holds in its closure."""
    values = [value for named in (_named(function, project), _held(function)) for _, value in named]
    yield from _of_project([part for value in values for part in parts_of(value)], project)


def _of_project(values: Iterable[object], project: Project) -> Iterator[Followed]:
    for value in values:
        one = type(value) if isinstance(value, Enum) else value if isinstance(value, type) else function_in(value)
        if one is not None and project.has(one.__module__):
            yield one


def _methods_of(one: type, project: Project) -> Iterator[Followed]:
    members = [value for _, value in _members_of(one, project)]
    return _of_project([value for value in members if not isinstance(value, type)], project)


def _members_of(one: type, project: Project) -> Iterator[tuple[str, object]]:
    for base in one.__mro__:
        if project.has(base.__module__):
            yield from sorted(vars(base).items())


def _fields_of(one: type, project: Project) -> str:
    """Write down what instances hold, where the class states it: fields of models and dataclasses, and constants."""
    fields: dict[str, object] = getattr(one, "model_fields", None) or getattr(one, "__dataclass_fields__", None) or {}
    stated = value_of({name: (_kind_of(field), getattr(field, "default", None)) for name, field in fields.items()})
    return "\0".join((stated, *constants_in(_members_of(one, project))))


def _kind_of(field: object) -> str:
    kind = getattr(field, "annotation", None) or getattr(field, "type", None)
    return str(getattr(kind, "__qualname__", kind if isinstance(kind, str) else type(kind).__qualname__))
