"""YAML into plain values, as the core schema of YAML 1.2 reads them: `yes` and dates are texts, `007` is a number.

The parser's events are read one by one, so that nothing is ever built that the file does not spell out: aliases, with
which a few lines can stand for billions of values, and tags, which name code, are refused.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, cast

import yaml

from echelon.definition.graph_file.values import Unread, decimal, object_of, shown, whole
from echelon.model.errors import InvalidInput
from echelon.model.phrasing import one_line

DEEPEST_NESTING = 50  # levels; a task graph needs five

#: The parser of libyaml is many times faster; where it is not installed, the one in Python reads the same.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

#: The stubs of PyYAML do not say what its loaders are.
_EVENTS: Callable[..., Iterable[Any]] = cast("Any", yaml).parse

#: How a plain scalar is read: the first pattern that is all of it.
_PLAIN: tuple[tuple[re.Pattern[str], Callable[[str], object]], ...] = (
    (re.compile(r"~|null|Null|NULL|"), lambda _: None),
    (re.compile(r"true|True|TRUE"), lambda _: True),
    (re.compile(r"false|False|FALSE"), lambda _: False),
    (re.compile(r"[-+]?[0-9]+"), whole),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), decimal),
    (re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), Unread),
)

#: Only a scalar that begins with one of these can be anything but a text.
_NOT_TEXT = frozenset("~nNtTfF-+.0123456789")


class _Open(NamedTuple):
    """A list or an object whose end has not come yet."""

    is_object: bool
    """Is it an object?"""
    values: list[Any]
    """What is in it so far; in an object keys and values by turns."""


def parse_yaml(text: str, loader: Any = _LOADER) -> object:
    """Return the value of a YAML text; `InvalidInput` says in which line and column it is none."""
    try:
        return _value_of(_EVENTS(text, Loader=loader))
    except yaml.MarkedYAMLError as error:
        what = one_line(error.problem or error.context or "it cannot be read")
        if "nesting depth" in what:  # from PyYAML 6.0.4 on the parser, which reads ahead, may find it first
            raise _nested_too_deeply(error.problem_mark) from error
        raise InvalidInput(f"this is not YAML{_at(error.problem_mark)}: {what}; correct it there") from error
    except (yaml.YAMLError, UnicodeError) as error:
        what = one_line(error)
        raise InvalidInput(f"this is not YAML: {what}; correct it") from error


def _value_of(events: Iterable[Any]) -> object:
    stack = [_Open(is_object=False, values=[])]
    for event in events:
        if isinstance(event, yaml.ScalarEvent):
            _refuse_tag(event)
            stack[-1].values.append(event.value if _is_key(stack[-1]) else _scalar(event))
        elif isinstance(event, yaml.CollectionStartEvent):
            _refuse_tag(event)
            _refuse_nested(event, stack)
            stack.append(_Open(is_object=isinstance(event, yaml.MappingStartEvent), values=[]))
        elif isinstance(event, yaml.CollectionEndEvent):
            done = stack.pop()
            stack[-1].values.append(_closed(done))
        elif isinstance(event, yaml.AliasEvent):
            raise InvalidInput(f"aliases (*{event.anchor}{_at(event.start_mark)}) are not read; write the value out")
    return _only_document(stack[0].values)


def _is_key(container: _Open) -> bool:
    return container.is_object and len(container.values) % 2 == 0


def _scalar(event: Any) -> object:
    text: str = event.value
    if event.style or (text and text[0] not in _NOT_TEXT):  # quoted, a block, or plainly a text
        return text
    return next((read(text) for pattern, read in _PLAIN if pattern.fullmatch(text)), text)


def _closed(done: _Open) -> object:
    return object_of(list(zip(done.values[::2], done.values[1::2], strict=True))) if done.is_object else done.values


def _only_document(documents: list[Any]) -> object:
    if len(documents) != 1:
        raise InvalidInput(f"there are {len(documents)} YAML documents in it; a task graph is exactly one")
    return documents[0]


def _refuse_tag(event: Any) -> None:
    if event.tag is not None:
        raise InvalidInput(f"the tag {shown(event.tag)}{_at(event.start_mark)} is not read; write a plain value")


def _refuse_nested(event: Any, stack: list[_Open]) -> None:
    if _is_key(stack[-1]):
        raise InvalidInput(f"a key{_at(event.start_mark)} is a list or an object; keys are texts")
    if len(stack) > DEEPEST_NESTING:
        raise _nested_too_deeply(event.start_mark)


def _nested_too_deeply(mark: Any) -> InvalidInput:
    return InvalidInput(f"lists or objects{_at(mark)} are nested too deeply; a task graph needs five levels")


def _at(mark: Any) -> str:
    return f" at line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
