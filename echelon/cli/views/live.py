"""The progress of a run while it is going on: a few live lines in a terminal, or a plain line a phase elsewhere."""

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from echelon.model.phrasing import count, duration
from echelon.visibility.progress import Happening, Progress, ProgressEvent, Tally

#: Domains, or teams where there are no domains, shown at most; those with the most at work come first.
DOMAINS_SHOWN = 6

#: An agent is late when it runs so many times as long as the average one that ended, and longer than LATE_SECONDS.
LATE_FACTOR = 3.0
LATE_SECONDS = 2.0

REFRESH_PER_SECOND = 4


class Display(Protocol):
    """Shows progress."""

    def observe(self, event: ProgressEvent) -> None:
        """Take an event; returns at once."""
        ...


class Plain:
    """A line when a phase starts or ends, or a breaker turns, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress()
        self._began: dict[str, float] = {}

    def observe(self, event: ProgressEvent) -> None:
        """Print the line of a phase."""
        self._progress.apply(event)
        if event.happening is Happening.PHASE_STARTED:
            self._began[event.phase] = event.at
            self._console.print(f"phase {event.phase}: {count(event.expected, 'agent')}")
        elif event.happening is Happening.PHASE_ENDED:
            tally = self._progress.phases.get(event.phase, Tally())
            took = duration(event.at - self._began.get(event.phase, event.at))
            self._console.print(f"phase {event.phase}: {_ended(tally)} in {took}")
        elif event.happening is Happening.BREAKER_TURNED:
            self._console.print(event.note or f"breaker {event.node!r} lets calls through again")


class Moving:
    """The picture of a run, drawn again several times a second by a thread of rich."""

    def __init__(self) -> None:
        self._progress = Progress()
        self._pace = Pace()
        self._began: dict[str, float] = {}
        self._ended: dict[str, float] = {}
        self._reused = 0
        self._notes: dict[str, str] = {}
        self._lock = threading.Lock()  # events come from the loop's thread, drawing has its own

    def observe(self, event: ProgressEvent) -> None:
        """Take an event into the picture."""
        with self._lock:
            self._pace.apply(event, self._progress.started.get(event.node))
            self._progress.apply(event)
            self._reused += event.reused
            if event.happening is Happening.BREAKER_TURNED:
                self._notes[event.node] = event.note
            times = {Happening.PHASE_STARTED: self._began, Happening.PHASE_ENDED: self._ended}
            if event.happening in times:
                times[event.happening][event.phase] = event.at

    def __rich__(self) -> RenderableType:
        """Return the picture of this moment."""
        with self._lock:
            if not self._progress.phases:
                return Text("preparing the plan and the server …", style="dim")
            return Group(self._phases(), *self._domains(), *self._breakers(), self._foot())

    def _phases(self) -> Table:
        grid = Table.grid(padding=(0, 2))
        for name, tally in self._progress.phases.items():
            ended = name in self._ended
            mark = Text("✓" if ended and not tally.failed else "!" if ended else "▸", style="cyan")
            bar = ProgressBar(total=max(tally.expected, 1), completed=tally.ended.total(), width=24)
            grid.add_row(mark, Text(name), bar, counts(tally), Text(self._time_of(name), style="dim"))
        return grid

    def _time_of(self, phase: str) -> str:
        if phase in self._ended:
            return duration(self._ended[phase] - self._began.get(phase, 0.0))
        left = self._progress.remaining_seconds() if phase == self._progress.current else None
        return "" if left is None else f"about {duration(left)} left"

    def _domains(self) -> Iterator[Text]:
        busiest = sorted(self._progress.domains.items(), key=lambda item: (-item[1].running, item[0]))
        for name, tally in busiest[:DOMAINS_SHOWN]:
            yield Text.assemble(("    ", ""), (name, "dim"), "  ", counts(tally))
        if len(busiest) > DOMAINS_SHOWN:
            yield Text(f"    and {len(busiest) - DOMAINS_SHOWN:,} more", style="dim")

    def _breakers(self) -> Iterator[Text]:
        for note in filter(None, self._notes.values()):
            yield Text(f"    {note}", style="yellow", overflow="ellipsis", no_wrap=True)

    def _foot(self) -> Text:
        late = self._pace.late(self._progress)
        parts = [f"{self._reused} reused"] if self._reused else []
        if late:
            parts.append(f"{len(late)} late, the longest at work: {late[0]}")
        return Text("  ".join(parts), style="yellow" if late else "dim")


class Pace:
    """How long agents take, to tell which are late."""

    def __init__(self) -> None:
        self._ended = 0
        self._seconds = 0.0

    def apply(self, event: ProgressEvent, started: float | None) -> None:
        """Take the end of an agent into account."""
        if event.happening is Happening.TASK_ENDED and started is not None:
            self._ended += 1
            self._seconds += event.at - started

    def late(self, progress: Progress) -> list[str]:
        """Return the agents that take far longer than others did, the longest at work first."""
        if not self._ended:
            return []
        limit = max(LATE_FACTOR * self._seconds / self._ended, LATE_SECONDS)
        overdue = [(began, node) for node, began in progress.started.items() if progress.now - began > limit]
        return [node for _, node in sorted(overdue)]


def counts(tally: Tally) -> Text:
    """Return how many are done, failed and at work; what is zero is left out."""
    whole = f"/{tally.expected}" if tally.expected else ""
    text = Text(f"{tally.done}{whole} done")
    if tally.failed:
        text.append(f"  {tally.failed} failed", style="red")
    if tally.running:
        text.append(f"  {tally.running} at work", style="cyan")
    return text


def _ended(tally: Tally) -> str:
    parts = [(tally.done, "done"), (tally.failed, "failed"), (tally.expected - tally.ended.total(), "not begun")]
    return ", ".join(f"{number} {what}" for number, what in parts if number or what == "done")


@contextmanager
def showing(console: Console) -> Generator[Display]:
    """Give the display that fits the console, and take it away at the end of the block."""
    if not console.is_terminal:
        yield Plain(console)
        return
    moving = Moving()
    # The picture shrinks to what fits; stdout stays untouched, it may be JSON for somebody.
    with Live(moving, console=console, refresh_per_second=REFRESH_PER_SECOND, redirect_stdout=False):
        yield moving
