"""What each level of a run sees, in lines: its parts, the alerts within its attention, and how old that is. Pure."""

from collections.abc import Iterable

from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.phrasing import count, duration, one_line, printable, truncate
from echelon.model.views.rollup import Alerts, Visibility

#: How much of a message is said in a line of alerts, in characters.
MESSAGE_CHARACTERS = 400

#: What is said by lines of its own wherever a whole run is shown: what is missing and why, budgets that were passed,
#: breakers, changes of the plan, notifications, phases without work.
SAID_ELSEWHERE = frozenset({
    Trigger.FAILED,
    Trigger.BLOCKED,
    Trigger.INCIDENT,
    Trigger.OVERRUN,
    Trigger.BREAKER,
    Trigger.OUTGROWN,
    Trigger.NOT_TOLD,
    Trigger.EMPTY,
    Trigger.PARTIAL,
})  # fmt: skip


def level_lines(seen: Visibility) -> list[str]:
    """Say where the parts of each level stand, eight lines a level at most; nothing of a run without levels."""
    if len(seen.levels) < 2:
        return []
    return [line for level in seen.levels for line in level.said]


def alert_line(report: ExceptionReport) -> str:
    """Say one alert in a line: of a critical one with its whole path, else of whom, where it does not say so."""
    kind, said = report.trigger.value.replace("_", " "), truncate(one_line(report.message), MESSAGE_CHARACTERS)
    path = report.path if report.level is Level.CRITICAL else report.path[1:][-1:]
    is_said = report.level is not Level.CRITICAL and any(name in said for name in (*path, *report.tasks))
    where = "" if is_said else " › ".join(map(one_line, path))
    return printable(f"{kind}: {where}: {said}" if where else f"{kind}: {said}")


def alert_lines(alerts: Alerts, elsewhere: Iterable[Trigger] = SAID_ELSEWHERE) -> list[str]:
    """Say the alerts that are shown one by one, and how many more there are; without what is said elsewhere."""
    left_out = frozenset(elsewhere)
    shown = [alert_line(report) for report in alerts.shown if report.trigger not in left_out]
    return [*shown, *(line.said for line in alerts.grouped)]


def attention_lines(alerts: Alerts) -> list[str]:
    """Say how many alerts each level got, and how many of them were shown one by one."""
    return [
        f"{one.level}: {count(one.pushed, 'alert')}, {one.shown:,} shown, {one.grouped:,} counted, "
        f"{one.critical:,} critical"
        for one in alerts.levels
        if one.pushed
    ]


def age_lines(seen: Visibility) -> list[str]:
    """Say how old what each level knows is, where that was measured."""
    return [
        f"{one.level}: {short_time(one.seconds)} ({short_time(one.seconds_p90 or 0.0)} at most in 9 of 10), "
        f"{count(one.hops, 'hop')}"
        for one in seen.ages
        if one.seconds is not None
    ]


def short_time(seconds: float) -> str:
    """Return a time as people say it, also one of less than a second."""
    return f"{seconds * 1000:,.0f} ms" if seconds < 1 else duration(seconds)
