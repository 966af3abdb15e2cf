"""Alerts in a terminal as they are pushed: all critical ones, of the others what the attention of each level allows."""

from rich.console import Console
from rich.text import Text

from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.runlog.events import ExceptionPushed, PlanExtended, RunEvent, RunStarted
from echelon.runlog.exceptions.attention import AttentionBudget
from echelon.visibility.levels import SAID_ELSEWHERE, alert_line

#: What a terminal says already when it happens; that failures have one cause is said here.
_SAID_ALREADY = SAID_ELSEWHERE - {Trigger.INCIDENT}

_STYLES = {Level.WARNING: "yellow", Level.CRITICAL: "bold red"}


class LiveAlerts:
    """Prints each alert once, and once a level and hour that there are more."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._budget: AttentionBudget | None = None

    def see(self, event: RunEvent, *, is_news: bool) -> None:
        """Take an event in; print what it is an alert of, unless it happened before a run was resumed."""
        if isinstance(event, RunStarted) and event.record.plan is not None:
            self._budget = AttentionBudget(event.record.plan, event.record.started)
        elif isinstance(event, PlanExtended) and self._budget is not None:
            self._budget.follow(event.plan)
        elif isinstance(event, ExceptionPushed) and self._budget is not None:
            is_shown = self._budget.admit(event.report)
            if is_news and event.report.trigger not in _SAID_ALREADY:
                self._say(event.run_id, event.report, self._budget, is_shown=is_shown)

    def _say(self, run_id: str, report: ExceptionReport, budget: AttentionBudget, *, is_shown: bool) -> None:
        if is_shown:
            self._console.print(Text(alert_line(report), style=_STYLES[report.level]))
        elif report.level is not Level.INFO and budget.is_first_grouped(report):
            more = f"more alerts of level {budget.level_of(report)} are counted: echelon exceptions {run_id}"
            self._console.print(Text(more, style="yellow"))
