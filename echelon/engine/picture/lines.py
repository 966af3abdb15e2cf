"""Which lines of the logs of agents are written into Prefect: the first of each step, and so many of a run. Pure.

Prefect keeps every line in its database, and is asked for each page of them: who wants all of a log reads it from the
journal, by the command that the last line says (V2).
"""

import logging
from collections import Counter
from collections.abc import Iterator
from uuid import UUID

from echelon.engine.picture.strokes import WriteLine
from echelon.model.phrasing import count
from echelon.runlog.events import BlockedReported, ConcernRaised, Logged, ModelAsked
from echelon.visibility.traces.trace import show_command
from echelon.visibility.voices.lines import raised_said

#: Lines of one step, and of a whole run. Errors of a step, and what it raises, have some of their own, whatever it
#: wrote before.
LINES_OF_A_STEP = 100
ERRORS_OF_A_STEP = 10
RAISED_BY_A_STEP = 10
LINES_OF_A_RUN = 10_000


class LineBound:
    """Counts the lines that were written, and leaves out what is beyond the bounds."""

    def __init__(self) -> None:
        self._lines: Counter[tuple[str, str]] = Counter()
        self._written = 0

    def lines_of(
        self, run_id: str, event: Logged, flow_key: str, task_id: UUID | None, *, raised: bool = False
    ) -> Iterator[WriteLine]:
        """Yield the line that an event is, or at the bound one that says where the rest is; nothing behind it.

        `raised` is what an agent said that somebody should know, and did not log.
        """
        sort, bound, option = _sort_of(event, raised=raised)
        self._lines[event.key, sort] += 1
        number = self._lines[event.key, sort]
        if number > bound + 1 or self._written >= LINES_OF_A_RUN:
            return
        self._written += 1
        is_last = number > bound or self._written == LINES_OF_A_RUN
        rest = f"further lines are not shown here: {show_command(run_id, event.task_id, *option)}"
        yield WriteLine(
            flow_key=flow_key,
            task_id=task_id,
            source=event.task_id,
            level=event.level,
            message=rest if is_last else event.message,
            at=event.at,
        )


def _sort_of(event: Logged, *, raised: bool) -> tuple[str, int, tuple[str, ...]]:
    """Return of which sort a line is, how many of that sort a step may write, and the option that shows all."""
    if raised:
        return "raised", RAISED_BY_A_STEP, ()
    return ("error", ERRORS_OF_A_STEP, ("--log",)) if event.level >= logging.ERROR else _PLAIN


_PLAIN = ("line", LINES_OF_A_STEP, ("--log",))


def raised_line(event: ConcernRaised | BlockedReported, task_id: str) -> Logged:
    """Return a line that says what an agent raised, or what it waits for (X15)."""
    concern = isinstance(event, ConcernRaised)
    return Logged(
        run_id=event.run_id,
        at=event.at,
        key=event.record.step if concern else event.key,
        task_id=task_id,
        source="echelon",
        level=logging.WARNING,
        message=raised_said(event),
    )


def asked_line(event: ModelAsked) -> Logged:
    """Return a line that says that a model was asked, and what shows what was said."""
    asked = event.conversation
    model, said = (
        asked.model or "a model",
        f"no answer: {asked.error}" if asked.error else count(asked.answers, "answer"),
    )
    return Logged(
        run_id=event.run_id,
        at=event.at,
        key=asked.key,
        task_id=asked.task_id,
        source="echelon",
        level=logging.WARNING if asked.error else logging.INFO,
        message=f"asked {model}, {said}: {show_command(event.run_id, asked.task_id, '--messages')}",
    )
