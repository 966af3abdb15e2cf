"""Which version of its code an agent has, so that a step done by older code can be told (F8). Pure.

The version is a digest of what is executed, not of the text: comments, formatting, names of files and line numbers
do not count, nor does what the function calls. Byte code differs between versions of Python, so the version says which
one it is for; versions for different ones are not compared.
"""

import hashlib
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from types import CodeType
from typing import Any

from echelon.agents.agent import Agent
from echelon.agents.command import CommandAgent
from echelon.agents.function import FunctionAgent

#: Enough to tell versions of one agent apart, in hex digits.
_DIGITS = 16

#: Values that mean the same in every process, wherever they are in a function.
_PLAIN = (int, float, complex, str, bytes, bool, type(None))


def code_of(agent: Agent) -> str:
    """Return the version of an agent's code; empty for one that has no code of its own, such as a model."""
    if isinstance(agent, FunctionAgent):
        return _of_function(agent.function)
    if isinstance(agent, CommandAgent):
        return f"command:{_digest(_words(agent))}"
    return ""


def has_changed(before: str, now: str) -> bool:
    """Say whether two versions are known to differ."""
    return bool(before) and bool(now) and before != now and before.partition(":")[0] == now.partition(":")[0]


@lru_cache(maxsize=4096)
def _of_function(function: Callable[..., Any]) -> str:
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):
        return ""
    defaults = (getattr(function, "__defaults__", None), getattr(function, "__kwdefaults__", None))
    return f"{sys.implementation.cache_tag}:{_digest((*_executed(code, function.__doc__), _value(defaults)))}"


def _words(agent: CommandAgent) -> Iterator[str]:
    yield from map(repr, agent.arguments)
    yield repr((agent.cwd, agent.stdin, agent.ok_exit_codes, sorted(name for name, _ in agent.env)))
    yield _of_function(agent.parse) if callable(agent.parse) else agent.parse


def _executed(code: CodeType, documentation: str | None) -> Iterator[str]:
    yield code.co_code.hex()
    yield repr((code.co_names, code.co_varnames, code.co_freevars, code.co_argcount, code.co_kwonlyargcount))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _executed(constant, None)
        elif documentation is None or constant != documentation:
            yield _value(constant)


def _value(value: Any) -> str:
    """Write a constant down in the same way in every process."""
    if isinstance(value, frozenset):  # `x in {"a", "b"}`
        return f"set({sorted(map(_value, value))})"
    if isinstance(value, tuple):
        return f"({','.join(map(_value, value))})"
    if isinstance(value, dict):
        return f"dict({sorted((name, _value(each)) for name, each in value.items())})"
    return repr(value) if isinstance(value, _PLAIN) else type(value).__qualname__


def _digest(words: Any) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:_DIGITS]
