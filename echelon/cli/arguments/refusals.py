"""What is said about a command line that cannot be understood: one line with what, where and what to do."""

import difflib
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias, cast, get_args, get_origin

from cyclopts import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    RepeatArgumentError,
    UnknownOptionError,
    UnusedCliTokensError,
    ValidationError,
)
from cyclopts.exceptions import ConsumeMultipleError, UnknownCommandError

from echelon.cli.commands import COMMANDS
from echelon.model.phrasing import one_line

#: An error of the kind that stands beside its function in `_EXPLAIN`; cyclopts says of no field whether it is set.
_Found: TypeAlias = Any

#: What a value is called, by its type.
_TYPES: dict[object, str] = {int: "a whole number", float: "a number", bool: "yes or no"}


def refusal(error: CycloptsError) -> str:
    """Return the line for an error of cyclopts."""
    explain = next((text for kind, text in _EXPLAIN if isinstance(error, kind)), _other)
    command = " ".join(error.command_chain or ())
    see = f"echelon {command} --help" if command else "echelon --help"
    said = one_line(explain(error, command))
    return f"{said}{'' if said.endswith('?') else '.'} See '{see}'"


def _unknown_option(error: _Found, command: str) -> str:
    given = str(error.token.keyword or error.token.value).partition("=")[0]
    if not command:
        return _before_the_command(given)
    known = [name for argument in error.argument_collection for name in argument.names if name.startswith("-")]
    return f"unknown option {given!r} for {command!r}{_perhaps(given, known)}"


def _unknown_command(error: CycloptsError, command: str) -> str:
    given = (error.unused_tokens or [""])[0]
    if given.startswith("-"):
        return _before_the_command(given)
    known = [row.name for row in COMMANDS] if not command else ["list", "show", "dispose"]
    return f"unknown command {given!r}{_perhaps(given, known) or '; the commands are ' + ', '.join(known)}"


def _before_the_command(option: str) -> str:
    return f"unknown option {option!r}; options come behind the command, as in 'echelon runs --json'"


def _missing(error: _Found, command: str) -> str:
    keyword = error.keyword or (error.argument.tokens and error.argument.tokens[-1].keyword)
    if keyword:
        return f"option {keyword!r} of {command!r} needs a value"
    return f"{command!r} needs {_named(error.argument)}"


def _coercion(error: _Found, command: str) -> str:
    name = (error.token and error.token.keyword) or (_named(error.argument) if error.argument else "value")
    given = f", not {error.token.value!r}" if error.token else ""
    return f"{name!r} of {command!r} takes {_kind(error.target_type)}{given}"


def _invalid(error: _Found, command: str) -> str:
    given = error.argument.tokens[0].value if error.argument and error.argument.tokens else ""
    name = error.argument.name if error.argument else "a value"
    return f"{name!r} of {command!r} cannot be {given!r}: {error.exception_message}".rstrip(".")


def _unused(error: CycloptsError, command: str) -> str:
    return f"{command!r} has no use for {(error.unused_tokens or [''])[0]!r}"


def _repeated(error: _Found, command: str) -> str:
    return f"option {error.token.keyword!r} of {command!r} is given twice; give it once"


def _other(error: CycloptsError, _command: str) -> str:
    return str(error).rstrip(".")


_EXPLAIN: tuple[tuple[type[CycloptsError], Callable[[_Found, str], str]], ...] = (
    (UnknownOptionError, _unknown_option),
    (UnknownCommandError, _unknown_command),
    (ConsumeMultipleError, _other),
    (MissingArgumentError, _missing),
    (CoercionError, _coercion),
    (ValidationError, _invalid),
    (UnusedCliTokensError, _unused),
    (RepeatArgumentError, _repeated),
)


def _named(argument: Any) -> str:
    return str(argument.name) if str(argument.name).startswith("-") else str(argument.name).upper()


def _kind(wanted: object) -> str:
    choices = cast("tuple[object, ...]", get_args(wanted)) if "Literal" in str(get_origin(wanted)) else ()
    if choices:
        return "one of " + ", ".join(str(choice) for choice in choices)
    return _TYPES.get(wanted, getattr(wanted, "__name__", str(wanted)))


def _perhaps(given: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(given, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
