"""The progress of a run while it is going on: a few live lines in a terminal, or a plain line a phase elsewhere."""

import threading
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from echelon.cli.views.alerts import LiveAlerts
from echelon.cli.views.raised import Raised
from echelon.model.breaker_news import Turn
from echelon.model.concern import CRITICAL
from echelon.model.learning.outlook import Outlook
from echelon.model.phrasing import count, duration
from echelon.model.run import StepKind
from echelon.model.terms import OpenPhase
from echelon.runlog.events import (
    BlockedReported,
    BreakerChanged,
    ConcernRaised,
    LoggedEvent,
    PhaseEnded,
    PhaseSkipped,
    PhaseStarted,
    PlanExtended,
)
from echelon.runlog.state import RunState
from echelon.runlog.view import rounds_of
from echelon.visibility.progress import (
    Foresight,
    Tally,
    breaker_notes,
    late_tasks,
    remaining_seconds,
    tallies_by_domain,
    tally_of,
)
from echelon.visibility.traces.trace import show_command
from echelon.visibility.voices.agents import voices_line

#: Domains, or teams where there are no domains, shown at most; those with the most at work come first.
DOMAINS_SHOWN = 6

REFRESH_PER_SECOND = 4


class Display(Protocol):
    """Shows a run at work."""

    def watch(self, entries: Sequence[LoggedEvent]) -> None:
        """Take what happened; returns at once."""
        ...


class Plain:
    """A line when a phase is planned, starts or ends, or a breaker changes, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._state = RunState()
        self._raised = Raised(console)
        self._foresight = Foresight()
        self._late = False
        self._alerts = LiveAlerts(console)

    def watch(self, entries: Sequence[LoggedEvent]) -> None:
        """Print the lines of what happened; of a run that is resumed, what happened before is not repeated."""
        earlier = self._state.events == 0
        for entry in entries:
            self._state = self._state.apply(entry.event)
            self._alerts.see(entry.event, is_news=not earlier)
            if not earlier:
                self._print(entry)
                self._say_late(entry.event.at)

    def _say_late(self, at: datetime) -> None:
        """Say once that the run will be late, as soon as that is known (V6)."""
        outlook = None if self._late else self._foresight.look(self._state, at)
        if outlook is not None and outlook.is_late:
            self._late = True
            self._console.print(outlook.said)

    def _print(self, entry: LoggedEvent) -> None:
        match entry.event:
            case PlanExtended(phase=phase, reason=reason) if phase:
                self._console.print(reason)
            case PhaseStarted(phase=phase, expected=expected):
                self._console.print(f"phase {phase}: {count(expected, 'agent')}")
            case PhaseEnded(phase=phase, at=at):
                took = duration((at - self._state.phases[phase].taken_up).total_seconds())
                self._console.print(f"phase {phase}: {_ended(tally_of(self._state, phase))} in {took}")
            case PhaseSkipped(phase=phase, reason=reason):
                self._console.print(f"phase {phase}: skipped: {reason}")
            case BreakerChanged(news=news) if news.message in breaker_notes(self._state):
                self._console.print(news.message)
            case BreakerChanged(news=news) if news.turn is not Turn.LEFT:
                self._console.print(f"breaker {news.name!r} lets calls through again")
            case ConcernRaised() | BlockedReported() as event:
                self._raised.say(event)
            case _:
                pass


class Moving:
    """The picture of a run, drawn again several times a second by a thread of rich; what is critical stands above."""

    def __init__(self, console: Console) -> None:
        self._raised = Raised(console)
        self._foresight = Foresight()
        self._alerts = LiveAlerts(console)
        self._is_behind = False
        self._state = RunState()
        self._unfolded: list[LoggedEvent] = []
        self._lock = threading.Lock()  # events come from the loop's thread, drawing has its own

    def watch(self, entries: Sequence[LoggedEvent]) -> None:
        """Take what happened; it is folded when it is drawn. What was raised before a run is resumed is not said."""
        with self._lock:
            self._unfolded.extend(entries)
        for entry in entries:
            self._alerts.see(entry.event, is_news=self._is_behind)
        for entry in entries if self._is_behind else ():
            if isinstance(entry.event, ConcernRaised) and entry.event.record.route in CRITICAL:
                self._raised.say_critical(entry.event.record)
        self._is_behind = True

    def __rich__(self) -> RenderableType:
        """Return the picture of this moment."""
        with self._lock:
            entries, self._unfolded = self._unfolded, []
        self._state = self._state.apply(*[entry.event for entry in entries])
        if not self._state.phases:
            return Text("preparing the plan …", style="dim")
        now = datetime.now(UTC)
        return picture_of(self._state, now, self._foresight.look(self._state, now))


def picture_of(state: RunState, now: datetime, outlook: Outlook | None = None) -> RenderableType:
    """Return the picture of a run that has begun; `outlook` is when it will end, where that is known."""
    parts = (*_domains(state), *_breakers(state), *_voices(state), *_end(state, outlook))
    return Group(_phases(state, now), *parts, _foot(state))


def _end(state: RunState, outlook: Outlook | None) -> Iterator[Text]:
    """Yield when a run will end, while it is at work (V6)."""
    if outlook is not None and any(stands.ended is None for stands in state.phases.values()):
        yield Text(f"    {outlook.said}", style="yellow" if outlook.is_late else "dim")


def _phases(state: RunState, now: datetime) -> Table:
    grid, rounds = Table.grid(padding=(0, 2)), rounds_of(state)
    for name, stands in state.phases.items():
        if stands.skipped:
            grid.add_row(Text("–", style="cyan"), Text(name), Text(f"skipped: {stands.skipped}", style="dim"))
            continue
        tally = tally_of(state, name)
        mark = Text(
            "▸" if stands.ended is None else "!" if tally.failed else "…" if tally.waiting else "✓", style="cyan"
        )
        bar = ProgressBar(total=max(tally.expected, 1), completed=tally.ended, width=24)
        time = Text(_time_of(state, name, now, rounds.get(name, 1)), style="dim")
        grid.add_row(mark, Text(name), bar, counts(tally), time)
    for one in state.plan.open if state.plan else ():
        grid.add_row(Text("·", style="cyan"), Text(one.phase), Text(_looked_for(state, one), style="dim"))
    return grid


def _looked_for(state: RunState, phase: OpenPhase) -> str:
    """Say where a phase stands that is not planned yet."""
    if any(name.kind is StepKind.PLANNING and name.phase == phase.phase for name in state.at_work):
        return "finding its items"
    ended = [
        step for name, step in state.latest.items() if name.kind is StepKind.PLANNING and name.phase == phase.phase
    ]
    return "not begun" if any(not step.handoff.done for step in ended) else phase.known


def _time_of(state: RunState, phase: str, now: datetime, rounds: int) -> str:
    stands, made = state.phases[phase], count(rounds, "round") if rounds > 1 else ""
    if stands.ended is not None:
        took = duration((stands.ended - stands.taken_up).total_seconds())
        return f"{took}, {made}" if made else took
    if made:  # nobody knows how many more there are
        return made
    left = remaining_seconds(state, phase, now)
    return "" if left is None else f"about {duration(left)} left"


def _domains(state: RunState) -> Iterator[Text]:
    at_work = [name for name, stands in state.phases.items() if stands.ended is None] or list(state.phases)[-1:]
    plan = state.plan
    tallies = {
        f"{phase} · {domain}" if len(at_work) > 1 else domain: tally
        for phase in at_work
        for domain, tally in (tallies_by_domain(state, phase, plan) if plan else {}).items()
    }
    busiest = sorted(tallies.items(), key=lambda item: (-item[1].at_work, item[0]))
    for name, tally in busiest[:DOMAINS_SHOWN]:
        yield Text.assemble(("    ", ""), (name, "dim"), "  ", counts(tally))
    if len(busiest) > DOMAINS_SHOWN:
        yield Text(f"    and {len(busiest) - DOMAINS_SHOWN} more", style="dim")


def _breakers(state: RunState) -> Iterator[Text]:
    for note in breaker_notes(state):
        yield Text(f"    {note}", style="yellow", overflow="ellipsis", no_wrap=True)


def _voices(state: RunState) -> Iterator[Text]:
    if said := voices_line(state):
        yield Text(f"    {said}", style="yellow", overflow="ellipsis", no_wrap=True)


def _foot(state: RunState) -> Text:
    late, failed = late_tasks(state), _last_failed(state)
    parts = [f"{len(state.reused)} reused"] if state.reused else []
    if late:
        parts.append(f"{len(late)} late, the longest at work: {late[0]}")
    said = Text("  ".join(parts), style="yellow" if late else "dim")
    run_id = state.record.run_id if state.record else ""
    for task, options in ((late[0] if late else "", ("--follow",)), (failed, ("--log", "--messages"))):
        if task:
            said.append(f"\n    {show_command(run_id, task, *options)}", style="dim")
    return said


def _last_failed(state: RunState) -> str:
    """Return the task that was lost last; empty when none was."""
    latest = state.latest.items()
    lost = (name.task_id for name, step in latest if not (step.handoff.done or step.handoff.waits))
    return next(iter(deque(lost, maxlen=1)), "")


def counts(tally: Tally) -> Text:
    """Return how many are done, failed, waiting and at work; what is zero is left out."""
    whole = f"/{tally.expected}" if tally.expected else ""
    text = Text(f"{tally.done}{whole} done")
    if tally.kept:
        text.append(f"  {tally.kept} of them kept", style="dim")
    if tally.failed:
        text.append(f"  {tally.failed} failed", style="red")
    if tally.waiting:
        text.append(f"  {tally.waiting} waiting", style="cyan")
    if tally.at_work:
        text.append(f"  {tally.at_work} at work", style="cyan")
    return text


def _ended(tally: Tally) -> str:
    parts = [
        (tally.done, "done"),
        (tally.failed, "failed"),
        (tally.waiting, "waiting"),
        (tally.expected - tally.ended, "not begun"),
    ]
    return ", ".join(f"{number} {what}" for number, what in parts if number or what == "done")


@contextmanager
def showing(console: Console) -> Generator[Display]:
    """Give the display that fits the console, and take it away at the end of the block."""
    if not console.is_terminal:
        yield Plain(console)
        return
    moving = Moving(console)
    # The picture shrinks to what fits; stdout stays untouched, it may be JSON for somebody.
    with Live(moving, console=console, refresh_per_second=REFRESH_PER_SECOND, redirect_stdout=False):
        yield moving
