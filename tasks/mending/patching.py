"""One patch of all fixes that pass; what does not pass is named with what is left."""

import difflib
import re
from collections.abc import Iterator
from pathlib import Path

from contracts.mending import Fix, FlawedFile, Patch
from echelon import AgentFailed, Handoffs, Outcome, RunView, agent
from echelon.model.phrasing import count, head
from echelon.visibility.report import default_report
from tasks.mending.fixing import digest_of, read_text
from tasks.mending.linter import flawed

#: Files that a reason names; the others are counted.
_NAMED = 5


@agent
def patch(lint: Handoffs[str], fix: Handoffs[Fix], path: Path) -> Outcome[Patch]:
    """Make one patch of all fixes that pass."""
    found = {file.path: file for file in flawed(lint, path)}
    failed = {one.task_id.partition("/")[2]: one.reason for one in fix.missing}
    stale: dict[str, str] = {}
    parts: dict[str, str] = {}
    for made in fix.outputs():
        try:
            parts[made.path] = _diff(made, path)
        except AgentFailed as error:
            stale[made.path] = str(error)
    changed = {name: text for name, text in sorted(parts.items()) if text}
    made = Patch(
        root=str(path),
        text="".join(changed.values()),
        files=tuple(changed),
        mended=sum(_flaws(found.get(name)) for name in changed),
        left=dict(sorted((failed | stale).items())),
    )
    said = f"{count(made.mended, 'finding')} mended in {count(len(changed), 'file')}"
    return Outcome(
        output=made,
        summary=f"{said}, {count(len(made.left), 'file')} left" if made.left else said,
        shortfall="; ".join(head(list(stale.values()), _NAMED)),
    )


def render(run: RunView) -> dict[str, str]:
    """Return the report of the run, and mend.patch."""
    if run.output is None:
        return default_report(run)
    return {**default_report(run), "mend.patch": Patch.model_validate(run.output).text}


def unified(name: str, before: str, after: str) -> str:
    """Return the difference of two texts as git writes it; empty when there is none.

    >>> print(unified("a.py", "x\\n", "y"), end="")
    --- a/a.py
    +++ b/a.py
    @@ -1 +1 @@
    -x
    +y
    \\ No newline at end of file
    """
    old, new = f"a/{name}", f"b/{name}"
    lines = difflib.unified_diff(_lines(before), _lines(after), _quoted(old), _quoted(new))
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _diff(made: Fix, path: Path) -> str:
    text = read_text(path, made.path)
    if digest_of(text) != made.sha256:
        raise AgentFailed(f"{made.path} was changed after it was mended; run again")
    return unified(made.path, text, made.text)


def _flaws(file: FlawedFile | None) -> int:
    return len(file.flaws) if file else 0


def _lines(text: str) -> list[str]:
    """Return the lines of a text, with their ends: those that git knows, not all of Python's."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _quoted(name: str) -> str:
    """Return a name as git writes it: in quotes, where a character in it would end it."""
    if not re.search(r'[\x00-\x1f\x7f"\\]', name):
        return f"{name}\t" if " " in name else name
    return f'"{"".join(_escaped(name))}"'


def _escaped(name: str) -> Iterator[str]:
    for character in name:
        plain = character >= " " and character != "\x7f"
        yield (f"\\{character}" if character in '"\\' else character) if plain else f"\\{ord(character):03o}"
