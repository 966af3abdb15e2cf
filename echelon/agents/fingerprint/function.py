"""What a function executes, its own and that of the project it belongs to: what it calls counts as its code (F8). Pure.

Followed are functions and classes that it names, if they are of the same top-level package, or the same script; what
libraries do is their affair. Everything is written down in the same way in every process: no ids, no addresses, and no
names of modules, since a script is called differently where it is imported.
"""

import dis
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from inspect import getattr_static
from types import CellType, CodeType, FunctionType, ModuleType
from typing import cast

from echelon.agents.function import FunctionAgent

#: Functions and classes that are followed from one function; what is further away does not count.
MAX_FOLLOWED = 1000

#: Values that mean the same in every process, wherever they are in a function.
_PLAIN = (int, float, complex, str, bytes, bool, type(None))

Followed = FunctionType | type


@lru_cache(maxsize=16_384)
def executed_by(function: FunctionType) -> str:
    """Write down what a function itself executes: code, defaults, and the constants that its closure holds."""
    defaults = (function.__defaults__, function.__kwdefaults__)
    held = tuple(f"{name}={value_of(value)}" for name, value in _held(function) if _is_constant(value))
    return "\0".join((*_executed(function.__code__, function.__doc__), value_of(defaults), *held))


def reached_from(function: FunctionType) -> Iterator[str]:
    """Yield what the functions and classes execute that a function refers to, directly and through others."""
    project = _project(function)
    waiting, known = deque(_referred(function, project)), {id(function)}
    while waiting and len(known) <= MAX_FOLLOWED:
        one = waiting.popleft()
        if id(one) in known:
            continue
        known.add(id(one))
        if isinstance(one, type):
            yield f"{one.__qualname__}\0{_fields_of(one)}"
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


def value_of(value: object) -> str:
    """Write a constant down in the same way in every process; what is none counts by its kind."""
    if isinstance(value, frozenset):  # `x in {"a", "b"}`
        return f"set({sorted(map(value_of, cast('frozenset[object]', value)))})"
    if isinstance(value, tuple | list):
        return f"({','.join(map(value_of, cast('Sequence[object]', value)))})"
    if isinstance(value, dict):
        items = cast("dict[object, object]", value).items()
        return f"dict({sorted((str(name), value_of(each)) for name, each in items)})"
    return repr(value) if isinstance(value, _PLAIN) else type(value).__qualname__


def _is_constant(value: object) -> bool:
    """Say whether a value of a closure stays as it is: lists and dicts are there to be filled."""
    if isinstance(value, tuple | frozenset):
        return all(map(_is_constant, cast("Iterable[object]", value)))
    return isinstance(value, _PLAIN)


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


def _project(one: Followed) -> str:
    return (one.__module__ or "").partition(".")[0]


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


def _referred(function: FunctionType, project: str) -> Iterator[Followed]:
    """Yield the functions and classes of a project that a function names, or holds in its closure."""
    names = sorted({name for code in _codes(function.__code__) for name in code.co_names})
    named = [function.__globals__[name] for name in names if name in function.__globals__]
    modules = [one for one in named if isinstance(one, ModuleType) and one.__name__.partition(".")[0] == project]
    named += [vars(module)[name] for module in modules for name in names if name in vars(module)]
    yield from _of_project([*named, *(value for _, value in _held(function))], project)


def _of_project(values: list[object], project: str) -> Iterator[Followed]:
    for value in values:
        one = value if isinstance(value, type) else function_in(value)
        if one is not None and _project(one) == project:
            yield one


def _methods_of(one: type, project: str) -> Iterator[Followed]:
    own = [base for base in one.__mro__ if _project(base) == project]
    members = [vars(base)[name] for base in own for name in sorted(vars(base))]
    return _of_project([value for value in members if not isinstance(value, type)], project)


def _fields_of(one: type) -> str:
    """Write down what instances hold, where the class states it: the fields of models and dataclasses."""
    fields: dict[str, object] = getattr(one, "model_fields", None) or getattr(one, "__dataclass_fields__", None) or {}
    return value_of({name: (_kind_of(field), getattr(field, "default", None)) for name, field in fields.items()})


def _kind_of(field: object) -> str:
    kind = getattr(field, "annotation", None) or getattr(field, "type", None)
    return str(getattr(kind, "__qualname__", kind if isinstance(kind, str) else type(kind).__qualname__))
