"""The fingerprint of an agent, so that a step done by an older version of it is recognised (F8). Pure.

It is a digest of what is executed, not of the text: comments, formatting, names of files and line numbers do
not count; what the function calls does, as far as it belongs to the same project. Of a model it is what the model is
told and given. Byte code differs between versions of Python, so a fingerprint says which one it is for; those for
different ones are not compared. Each part has a digest of its own, which says what has changed and gives nothing else
away.
"""

import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from types import FunctionType
from typing import cast

from echelon.agents.agent import Agent, KnowsFingerprint
from echelon.agents.command import CommandAgent
from echelon.agents.fingerprint.function import executed_by, function_in, reached_from
from echelon.agents.fingerprint.model import PARTS, parts_of
from echelon.agents.function import FunctionAgent
from echelon.agents.model import ModelAgent

#: Enough to tell fingerprints of one agent apart, in hex digits of each part.
_DIGITS = 10

#: How fingerprints are made; those made in another way are not compared.
_MADE = 3

#: Kind of agent → what its fingerprint is made of, in this order.
_PARTS: dict[str, tuple[str, ...]] = {
    "function": ("its own code", "what it calls"),
    "command": ("its command line", "how its output is read"),
    "model": tuple(f"its {part}" for part in PARTS),
    "job": ("its agents",),
}


def fingerprint_of(agent: Agent) -> str:
    """Return the fingerprint of an agent; empty for one whose code is not known, such as an object of your own."""
    if isinstance(agent, FunctionAgent):
        return _of_function(agent.function)
    if isinstance(agent, CommandAgent):
        command = cast("CommandAgent[object]", agent)
        return _fingerprint("command", (_command_line(command), [_parser(command)]))
    if isinstance(agent, ModelAgent):
        return _of_model(cast("ModelAgent[object]", agent))
    return agent.fingerprint if isinstance(agent, KnowsFingerprint) else ""


def fingerprint_of_all(agents: Iterable[Agent]) -> str:
    """Return the fingerprint of a job: that of all its agents."""
    return _fingerprint("job", [map(fingerprint_of, agents)])


def has_changed(before: str, now: str) -> bool:
    """Say whether two fingerprints are known to differ."""
    return bool(before) and bool(now) and before != now and before.partition(":")[0] == now.partition(":")[0]


def changed_parts(before: str, now: str) -> tuple[str, ...]:
    """Return what differs between two fingerprints that can be compared."""
    kind, _, _ = now.partition("-")
    pairs = zip(before.partition(":")[2].split("."), now.partition(":")[2].split("."), strict=False)
    return tuple(name for name, (one, other) in zip(_PARTS.get(kind, ()), pairs, strict=False) if one != other)


@lru_cache(maxsize=4096)
def _of_function(function: Callable[..., object]) -> str:
    if not isinstance(function, FunctionType):
        return ""
    return _fingerprint("function", ([executed_by(function)], reached_from(function)))


@lru_cache(maxsize=4096)
def _of_hashable_model(agent: ModelAgent[object]) -> str:
    return _fingerprint("model", parts_of(agent))


def _of_model(agent: ModelAgent[object]) -> str:
    try:
        return _of_hashable_model(agent)
    except TypeError:  # an unhashable model or contract
        return _of_hashable_model.__wrapped__(agent)


def _command_line(agent: CommandAgent[object]) -> Iterator[str]:
    yield from map(repr, agent.arguments)
    yield repr((agent.cwd, agent.stdin, agent.ok_exit_codes, list(agent.env.names)))


def _parser(agent: CommandAgent[object]) -> str:
    if isinstance(agent.parse, str):
        return agent.parse
    function = function_in(agent.parse)
    return _of_function(function) if function else type(agent.parse).__qualname__


def _fingerprint(kind: str, parts: Iterable[Iterable[str]]) -> str:
    return f"{kind}-{sys.implementation.cache_tag}-{_MADE}:{'.'.join(map(_digest, parts))}"


def _digest(words: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(words).encode(errors="surrogatepass")).hexdigest()[:_DIGITS]
