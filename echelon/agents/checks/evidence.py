"""`Evidence`: done only with the trace that it promises. A result without work is not a result (D11). Pure."""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeAlias

from echelon.agents.checks.verdict import Verdict
from echelon.model.edges import is_listing
from echelon.model.errors import InvalidJob
from echelon.model.graph import WorkerKind
from echelon.model.phrasing import count, listed
from echelon.model.verification.trace import Trace

Wanted: TypeAlias = str | tuple[str, ...] | int | None
"""Patterns as in `src/*.py`, each of which something must fit; or a number: so many at least."""

#: Entries of a trace that a gap names at most.
_NAMED = 5

_ALL = ("reads", "commands", "calls", "changes")

#: What can be seen of work, by who does it. A model works through tools, and every call of one is heard.
_SEEN: Mapping[WorkerKind, tuple[str, ...]] = {
    WorkerKind.MODEL: _ALL,
    WorkerKind.COMMAND: ("commands", "changes"),
    WorkerKind.FUNCTION: ("reads", "calls", "changes"),
    WorkerKind.PROCESS: ("changes",),
}

_UNSEEN = "the work of this kind of agent leaves no trace that could be looked at"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What must be seen of the work itself, whatever its result claims; all that is stated must be there.

    Each is a pattern as in `src/*.py`, several, or a number: so many at least. A path fits a pattern that its end
    fits; a command line fits when one of its parts does (`cd x && uv run pytest -q` fits `pytest*`, and `echo pytest`
    does not).
    """

    reads: Wanted = None
    """What it must have read: paths, by a model; tasks whose outputs it opened, by a function."""
    commands: Wanted = None
    """What it must have run."""
    calls: Wanted = None
    """Tools that it must have called, by name; of a function, what it asked for: outputs to read, a folder."""
    changes: Wanted = None
    """Files that it must have made or changed."""

    def __post_init__(self) -> None:
        """Take a list of patterns for a tuple; refuse evidence that is none, `InvalidJob`."""
        for what in _ALL:
            wanted: object = getattr(self, what)
            if is_listing(wanted):
                object.__setattr__(self, what, tuple(wanted))
            if isinstance(wanted, int) and (isinstance(wanted, bool) or wanted < 1):
                raise InvalidJob(f"Evidence({what}={wanted!r}): ask for 1 or more, or leave it out")
        if not any(getattr(self, what) for what in _ALL):
            raise InvalidJob(f"Evidence() asks for nothing; state one of {', '.join(_ALL)}")

    @property
    def name(self) -> str:
        """What it is called in plans and reports."""
        asked = ", ".join(f"{what}={getattr(self, what)!r}" for what in _ALL if getattr(self, what))
        return f"Evidence({asked})"

    def judge(self, trace: Trace) -> Verdict:
        """Say whether a trace shows what is asked for; what nobody can see is `unverifiable`, and never accepted."""
        asked = [what for what in _ALL if getattr(self, what)]
        gaps = [gap for what in asked if self._is_seen(what, trace) and (gap := self._gap(what, trace))]
        if gaps:
            return Verdict.rejected("; ".join(gaps))
        unseen = [what for what in asked if not self._is_seen(what, trace)]
        if unseen and not trace.leaves_trace:
            return Verdict.unverifiable(_UNSEEN)
        if unseen:
            return Verdict.unverifiable(f"nobody can see the {' and '.join(unseen)} of a {trace.kind.value}")
        return Verdict.accepted()

    def _is_seen(self, what: str, trace: Trace) -> bool:
        return trace.leaves_trace and what in _SEEN.get(trace.kind, ())

    def _gap(self, what: str, trace: Trace) -> str:
        wanted, found = getattr(self, what), getattr(trace, what)
        if isinstance(wanted, int):
            number = len(found) + trace.left_out
            lacks = f"{count(number, what[:-1])} of at least {wanted}" if number < wanted else ""
        else:
            patterns = (wanted,) if isinstance(wanted, str) else wanted
            fits = _FITS[what]
            unmet = [one for one in patterns if not any(fits(entry, one) for entry in found)]
            lacks = f"{what} fit {listed(unmet, _NAMED, repr, ' or ')}" if unmet else ""
            lacks = lacks and f"no {lacks}"
        return lacks and f"the work shows {lacks} (it shows {listed(found, _NAMED, repr) or 'none'})"


def _fits_path(path: str, pattern: str) -> bool:
    return fnmatchcase(path, pattern) or fnmatchcase(path, f"*/{pattern}")


def _fits_call(call: str, pattern: str) -> bool:
    return fnmatchcase(call, pattern) or fnmatchcase(call.partition("(")[0], pattern)


def _fits_command(line: str, pattern: str) -> bool:
    return any(fnmatchcase(part, pattern) for part in _parts_of(line))


#: What stands between commands.
_BETWEEN = frozenset({"&&", "||", ";", "|", "&", "(", ")", "|&", ";;"})

#: Programs that run another one, with how many words of their own stand before it.
_RUNNERS = {
    **dict.fromkeys(("uv", "poetry", "pipenv", "hatch", "pdm", "rye"), 2),
    **dict.fromkeys(("env", "time", "nice", "nohup", "exec", "command", "xargs", "npx", "bunx", "sudo"), 1),
}

_SHELLS = frozenset({"sh", "bash", "zsh", "dash"})
_VARIABLE, _PYTHON = re.compile(r"\w+=.*"), re.compile(r"python[\d.]*|py")


def _parts_of(line: str, depth: int = 3) -> Iterator[str]:
    """Yield each command in a command line, as its program is called, without what only runs it."""
    try:
        words = shlex.shlex(line, posix=True, punctuation_chars=True)
        words.whitespace_split, words.commenters = True, ""
        found = list(words)
    except ValueError:  # a quote that is not closed: no shell would run it
        return
    part: list[str] = []
    for word in (*found, ";"):
        if word in _BETWEEN:
            yield from _commands_of(part, depth) if part else ()
            part = []
        else:
            part.append(word)


def _commands_of(words: Sequence[str], depth: int) -> Iterator[str]:
    while words:
        program = words[0].rpartition("/")[2]
        yield " ".join((program, *words[1:]))
        if program in _SHELLS and len(words) > 2 and re.fullmatch(r"-\w*c", words[1]):
            yield from _parts_of(words[2], depth - 1) if depth else ()
            return
        if _VARIABLE.fullmatch(words[0]):
            words = words[1:]
        elif _PYTHON.fullmatch(program) and words[1:2] == ["-m"]:
            words = words[2:]
        elif program in _RUNNERS:
            words = words[_RUNNERS[program] :]
        else:
            return


_FITS: Mapping[str, Callable[[str, str], bool]] = {
    "reads": _fits_path,
    "changes": _fits_path,
    "calls": _fits_call,
    "commands": _fits_command,
}
