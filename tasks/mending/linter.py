"""The linter: ruff, with the configuration of the project. Another one takes another version of this file.

It never writes into the project, whatever that configuration says: no fixes there, no cache. A single file is given to
it as text, under the name that the file has in the project.
"""

import json
from collections import defaultdict
from pathlib import Path

from contracts.mending import Flaw, FlawedFile
from echelon import Handoffs, command
from tasks.mending.running import run

_CHECK = ("ruff", "check", "--no-fix", "--no-fix-only", "--no-cache", "--exit-zero", "--output-format=json")
_FIX = ("ruff", "check", "--fix-only", "--no-cache", "--exit-zero", "--quiet")

lint = command([*_CHECK, "."], name="lint", goal="Find what is wrong in the project", cwd="{path}", timeout=300)


def flawed(lint: Handoffs[str], path: Path) -> list[FlawedFile]:
    """List the files that the linter says something of, in order."""
    found: dict[str, list[Flaw]] = defaultdict(list)
    for printed in lint.outputs():
        for hit in json.loads(printed):
            name = Path(hit["filename"])
            found[(name.relative_to(path) if name.is_relative_to(path) else name).as_posix()].append(_flaw(hit))
    return [FlawedFile(path=name, flaws=tuple(flaws)) for name, flaws in sorted(found.items())]


async def flaws_in(path: Path, name: str, text: str) -> list[Flaw]:
    """Return what the linter says of a text, if it were a file of the project."""
    return [_flaw(hit) for hit in json.loads(await run(*_CHECK, *_as_file(name), cwd=path, stdin=text))]


async def mend_text(path: Path, name: str, text: str) -> str:
    """Return a text with what the linter can mend by itself."""
    return await run(*_FIX, *_as_file(name), cwd=path, stdin=text)


def _as_file(name: str) -> tuple[str, ...]:
    return f"--stdin-filename={name}", "-"


def _flaw(hit: "dict[str, str | dict[str, int]]") -> Flaw:
    where = hit["location"]
    line = where["row"] if isinstance(where, dict) else 1
    return Flaw(rule=str(hit["code"] or "invalid-syntax"), line=max(1, line), message=str(hit["message"]))
