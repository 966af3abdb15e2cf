"""Where output goes: one JSON document or tables to stdout, everything else to stderr. Drawing is elsewhere."""

import json
import logging
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic_core import to_jsonable_python
from rich.console import Console, ConsoleOptions, RenderableType
from rich.logging import RichHandler
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from echelon.model.phrasing import printable, printable_json
from echelon.redaction import redact

#: Width of tables that nobody looks at in a terminal, in characters: lines are not broken for a pipe.
PIPE_WIDTH = 160


def out() -> Console:
    """Return the console of results; texts of jobs are shown as they are, never read as markup."""
    return _console(stderr=False)


def err() -> Console:
    """Return the console of progress and logs."""
    return _console(stderr=True)


def print_json(document: object) -> None:
    """Print one JSON document to stdout."""
    written = json.dumps(to_jsonable_python(document), indent=2, ensure_ascii=False)
    sys.stdout.write(printable_json(written) + "\n")
    sys.stdout.flush()  # who reads it need not wait for the end of a process that goes on


def print_text(text: str) -> None:
    """Print a text to stdout as it is, with its lines unbroken."""
    sys.stdout.write(printable(text))


def table(*headings: str, title: str = "") -> Table:
    """Return an empty table in the one look they all have."""
    made = Table(title=title or None, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for heading in headings:
        made.add_column(heading, overflow="fold", header_style="dim")
    return made


def facts(console: Console, rows: Sequence[tuple[str, str]]) -> None:
    """Print names with their values, one a line; what has no value is left out."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows:
        if value:
            grid.add_row(name, value)
    console.print(grid)


def log_to(console: Console) -> None:
    """Send our own warnings to this console, so that they do not tear a live display."""
    handler = RichHandler(console=console, show_time=False, show_path=False, markup=False, level=logging.WARNING)
    logger = logging.getLogger("echelon")
    logger.handlers = [handler]
    logger.propagate = False
    # What agents log goes to their logs; how much of it is for their loggers to say.
    logging.getLogger().setLevel(logging.INFO)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or os.environ.get("COLUMNS", "").isdigit() else PIPE_WIDTH
    # The stream of this moment: what takes its place later may print what it gets on this console.
    return _SafeConsole(file=stream, width=width, markup=False, highlight=False, emoji=False)


class _SafeConsole(Console):
    """A console that shows every text, and obeys none: names, ids and what agents say may be anything."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print; lines of text are left whole, so that what is in them can be copied, and only tables are fitted."""
        if all(isinstance(one, str | Text) for one in objects):
            options.setdefault("soft_wrap", True)
        super().print(*objects, **options)

    def on_broken_pipe(self) -> None:
        """Raise what was raised: the reader of our output has seen enough, and `main` knows what that means."""
        raise BrokenPipeError

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render, with what a terminal would obey written out; what rich itself tells the terminal stays."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=printable(redact(segment.text)))
