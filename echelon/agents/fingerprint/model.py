"""What a model agent is made of, in words that a digest is made from (F8). Pure.

Some of it has no public name in the library; what a version of it does not have counts as nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

from echelon.agents.fingerprint.constants import value_of
from echelon.agents.fingerprint.function import executed_by, function_in, reached_from
from echelon.agents.model import ModelAgent
from echelon.agents.prompt import prompt_of
from echelon.contract.version import contract_name
from echelon.model.edges import Foreign

#: What the fingerprint of a model agent is made of, in this order.
PARTS = ("instructions", "model", "settings", "contract", "tools", "prompt")

#: Where the library keeps what a model is always told.
_TOLD = (
    "_instructions",
    "_instructions_functions",
    "_system_prompts",
    "_system_prompt_functions",
    "_system_prompt_dynamic_functions",
)

#: Settings that change nothing about an answer, and hold keys that are changed from time to time.
_OF_THE_LINE = frozenset({"extra_headers", "timeout", "max_retries"})


def parts_of(agent: ModelAgent[object]) -> tuple[list[str], ...]:
    """Return the words of each of `PARTS`; none where nothing is known."""
    inner = agent.model
    told = [word for name in _TOLD for word in _told(getattr(inner, name, ()))]
    return (
        told,
        list(_model(inner.model)),
        list(_settings(inner)),
        [contract_name(agent.output_type), *_told(getattr(inner, "_output_validators", ()))],
        sorted(_tools(getattr(inner, "toolsets", ()))),
        [_code(agent.prompt) if agent.prompt is not prompt_of else "", _code(agent.deps)],
    )


def _told(value: object) -> Iterator[str]:
    """Yield texts and the code of functions that make some, whatever the library has wrapped them in."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _told([*cast("Mapping[str, object]", value).values()])
    elif isinstance(value, list | tuple):
        for one in cast("Sequence[object]", value):
            yield from _told(one)
    elif value is not None:
        wrapped = getattr(value, "instruction", None) or getattr(value, "function", None)
        yield from _told(wrapped) if wrapped is not None else [_code(value)]


def _code(value: object) -> str:
    function = function_in(value)
    return "\0".join((executed_by(function), *reached_from(function))) if function else type(value).__qualname__


def _model(model: object) -> Iterator[str]:
    """Yield provider and name of a model, or of each that a fallback has."""
    if isinstance(model, str):
        yield model
        return
    yield f"{getattr(model, 'system', '')}:{getattr(model, 'model_name', '')}"
    for one in getattr(model, "models", None) or ():
        yield from _model(one)


def _settings(inner: Foreign) -> Iterator[str]:
    for given in (getattr(inner, "model_settings", None), getattr(inner.model, "settings", None)):
        if isinstance(given, Mapping):
            settings = cast("Mapping[str, object]", given)
            yield value_of({name: each for name, each in settings.items() if name not in _OF_THE_LINE})
        elif given is not None:
            yield _code(given)


def _tools(toolsets: Iterable[object]) -> Iterator[str]:
    for one in toolsets:
        tools = getattr(one, "tools", None)
        if not isinstance(tools, Mapping):
            yield f"{type(one).__qualname__} {getattr(one, 'id', None) or ''}"
            continue
        for name, tool in cast("Mapping[str, object]", tools).items():
            yield "\0".join((name, str(getattr(tool, "description", "")), *_told(getattr(tool, "function", None))))
