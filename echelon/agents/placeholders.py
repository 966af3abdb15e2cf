"""Arguments with `{placeholders}`: simple names only, filled by value, never by evaluation and never by a shell.

Values may come from a model or from a file that somebody else wrote: they are hostile text. A value can fill its own
place in its own argument; it cannot become an option, a second argument or a program.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePath
from string import Formatter
from typing import Any

from pydantic import BaseModel

from echelon.agents.call import Call
from echelon.model.edges import is_mapping
from echelon.model.errors import InvalidInput, InvalidJob

#: The item itself, the folder in which the agent may write, the file with its brief, and what that says.
ITEM, WORKSPACE, BRIEF, BRIEF_TEXT = "item", "workspace", "brief", "brief_text"
BRIEFS = (BRIEF, BRIEF_TEXT)

#: What has an obvious form as a piece of text.
_PLAIN = (str, int, float, PurePath)


@dataclass(frozen=True)
class Template:
    """One argument: text, and names between the pieces of it."""

    source: str
    """As it was written."""
    pieces: tuple[tuple[str, str | None], ...]
    """(text, name of the placeholder behind it)."""

    @property
    def names(self) -> tuple[str, ...]:
        """Its placeholders, in order."""
        return tuple(name for _, name in self.pieces if name is not None)

    @property
    def starts_with_a_value(self) -> bool:
        """Does a placeholder stand at its very beginning?"""
        return self.source.startswith("{") and not self.source.startswith("{{")

    def fill(self, value_of: Callable[[str], str]) -> str:
        """Put the values in."""
        return "".join(text + (value_of(name) if name is not None else "") for text, name in self.pieces)


def template(source: str) -> Template:
    """Read `{name}` placeholders; `InvalidJob` on everything else that braces can mean."""
    try:
        parsed = list(Formatter().parse(source))
    except ValueError as error:
        raise InvalidJob(f"argument {source!r}: {error}; write {{{{ and }}}} for braces that are meant") from error
    for _, name, spec, conversion in parsed:
        if name is not None and (not name.isidentifier() or spec or conversion):
            raise InvalidJob(
                f"argument {source!r}: a placeholder is a plain name such as {{path}}, without dots, indexes or "
                "formats; write {{ and }} for braces that are meant"
            )
    return Template(source, tuple((text, name) for text, name, _, _ in parsed))


def fill_arguments(templates: Sequence[Template], values: Mapping[str, object]) -> list[str]:
    """Fill all arguments; `InvalidInput` when a value would act as an option.

    A value that begins with a dash may stand after a `--`, behind an option, or inside an argument that begins with
    text of its own.
    """
    filled: list[str] = []
    for argument in templates:
        text = argument.fill(lambda name: as_text(name, values[name]))
        if argument.starts_with_a_value and text.startswith("-") and not _may_be_a_dash(filled):
            raise InvalidInput(
                f"{text!r} would act as an option where {argument.source!r} stands; put '--' before it in the command, "
                f"or make it part of an argument, as in './{argument.source}' or '--name={argument.source}'"
            )
        filled.append(text)
    return filled


def check_briefs(names: Collection[str], taken: Collection[str]) -> None:
    """Refuse names of briefs that are `taken` by inputs or an item.

    An item may be hostile: it must not choose what an agent is told to obey.
    """
    for name in BRIEFS:
        if name in names and name in taken:
            raise InvalidJob(
                f"{{{name}}} is the brief of the task, and an input or a field of the item has the same name; "
                "rename that"
            )


def values_of(call: Call, names: Sequence[str], briefs: Mapping[str, object]) -> dict[str, Any]:
    """Find the values: a field of the item first, then an input of the job; `InvalidJob` names what nothing gives.

    `briefs` are those of `BRIEFS`.
    """
    fields = {**_fields(call.inputs), **_fields(call.item)}
    check_briefs(names, fields)
    known = {**fields, ITEM: call.item, WORKSPACE: None, **briefs}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InvalidJob(f"nothing gives {{{unknown[0]}}} a value; known are {', '.join(sorted(known))}")
    if WORKSPACE in names:
        known[WORKSPACE] = call.make_workspace()
    return {name: known[name] for name in names}


def as_text(name: str, value: object) -> str:
    """Return a value as it stands in an argument; `InvalidInput` when it has no obvious form."""
    plain = value.value if isinstance(value, Enum) else value
    if isinstance(plain, bool) or not isinstance(plain, _PLAIN):
        raise InvalidInput(f"{{{name}}} is of type {type(value).__name__}; a command takes text, numbers and paths")
    text = str(plain)
    if "\0" in text:
        raise InvalidInput(f"{{{name}}} contains a zero byte, which no argument can carry")
    return text


def fields_of(item_type: type | None) -> tuple[str, ...]:
    """Return the placeholders that items of a known type fill: the names of their fields."""
    return tuple(item_type.model_fields) if item_type is not None and issubclass(item_type, BaseModel) else ()


def _may_be_a_dash(before: Sequence[str]) -> bool:
    return "--" in before or (len(before) > 1 and before[-1].startswith("-"))


def _fields(source: object) -> dict[str, Any]:
    if isinstance(source, BaseModel):
        return {name: getattr(source, name) for name in type(source).model_fields}
    return {str(name): value for name, value in source.items()} if is_mapping(source) else {}
