"""How an exception about work that goes on reads, and where it stands in the tree. Pure."""

from collections.abc import Sequence
from datetime import datetime

from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.phrasing import duration, listed, one_line, truncate
from echelon.model.plan import Plan
from echelon.oversight.exceptions.expecting import Expected

#: Tasks, or parts, that one line names; and how much of each name, in characters.
NAMED, NAME_CHARACTERS = 3, 80


def warning(
    plan: Plan, trigger: Trigger, message: str, at: datetime, *, about: str = "", tasks: Sequence[str] = ()
) -> ExceptionReport:
    """Return a warning about the whole run, or about tasks: then its path is what theirs have in common."""
    return ExceptionReport(
        trigger=trigger,
        level=Level.WARNING,
        path=path_of(plan, tasks),
        message=message,
        at=at,
        about=about,
        tasks=tuple(tasks),
    )


def path_of(plan: Plan, tasks: Sequence[str]) -> tuple[str, ...]:
    """Return the path from the primary to who does a task, or to the lowest part that has all of several."""
    paths = [plan.path(plan.agent_of[task]) for task in tasks if task in plan.agent_of]
    shared = [names[0] for names in zip(*paths, strict=False) if len(set(names)) == 1]
    return tuple(shared) or (plan.primary.id,)


def named(names: Sequence[str]) -> str:
    """Return the first of some names, and how many more there are."""
    return listed(names, NAMED, lambda name: truncate(one_line(name), NAME_CHARACTERS))


def overtime(seconds: float, expected: Expected) -> str:
    """Say how long something has taken, and what was expected."""
    return f"at work for {duration(seconds)}, expected {duration(expected.seconds)} ({expected.basis})"
