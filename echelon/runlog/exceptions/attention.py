"""Which alerts are shown one by one, within the attention of each level, and which are counted (V7). Pure.

An alert is a warning or a critical exception. It is pushed to the coordinator who is nearest; what is critical is shown
to every level, however many alerts there were, and counts for the attention that it takes. What says the same of
another place within the hour is counted: one cause is shown once.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from datetime import datetime

from echelon.model.exception_report import ExceptionReport, Level
from echelon.model.plan import Plan
from echelon.model.views.rollup import Alerts, GroupedAlerts, LevelAlerts
from echelon.runlog.alike import said_by
from echelon.runlog.exceptions.levels import Levels

_HOUR_SECONDS = 3600


class AttentionBudget:
    """Says of each alert as it comes whether it is shown one by one. For one run."""

    def __init__(self, plan: Plan, began: datetime) -> None:
        self._began = began
        self.follow(plan)
        self._pushed = Counter[int]()
        self._critical = Counter[int]()
        self._said: dict[tuple[int, int], set[Hashable]] = {}
        self._taken = Counter[tuple[int, int]]()
        self._grouped: dict[tuple[int, int], Counter[str]] = {}
        self.shown: list[ExceptionReport] = []
        """What was shown one by one."""

    def follow(self, plan: Plan) -> None:
        """Go by a plan that has grown: what was counted by now stays with its level."""
        self._levels = Levels(plan)
        self._an_hour = plan.alerts_an_hour

    def level_of(self, report: ExceptionReport) -> str:
        """Return what the level is called that an exception is pushed to."""
        return self._levels.names[self._levels.receiver(report)]

    def admit(self, report: ExceptionReport) -> bool:
        """Take an exception; say whether it is shown one by one. What is no alert is on record only."""
        if report.level is Level.INFO:
            return False
        level, hour = self._levels.receiver(report), self._hour(report.at)
        self._pushed[level] += 1
        is_critical = report.level is Level.CRITICAL
        self._critical[level] += is_critical
        said, saying = self._said.setdefault((level, hour), set()), said_by(report)
        is_told = saying in said or self._taken[level, hour] >= self._an_hour
        said.add(saying)
        if not is_critical and is_told:
            self._grouped.setdefault((level, hour), Counter())[report.trigger.value] += 1
            return False
        self._taken[level, hour] += 1
        self.shown.append(report)
        return True

    def _hour(self, at: datetime) -> int:
        return max(0, int((at - self._began).total_seconds() // _HOUR_SECONDS))

    def is_first_grouped(self, report: ExceptionReport) -> bool:
        """Say whether an exception that was just admitted is the first of its level and hour that is only counted."""
        found = self._grouped.get((self._levels.receiver(report), self._hour(report.at)))
        return found is not None and found.total() == 1

    @property
    def grouped(self) -> tuple[GroupedAlerts, ...]:
        """What was not shown one by one, a line a level and hour."""
        return tuple(self._line(*at) for at in sorted(self._grouped))

    def _line(self, level: int, hour: int) -> GroupedAlerts:
        triggers = self._grouped[level, hour]
        name = self._levels.names[level]
        return GroupedAlerts(level=name, hour=hour, alerts=triggers.total(), triggers=dict(triggers.most_common()))

    @property
    def levels(self) -> tuple[LevelAlerts, ...]:
        """The counts of each level."""
        grouped = Counter[int]()
        for (level, _), triggers in self._grouped.items():
            grouped[level] += triggers.total()
        return tuple(
            LevelAlerts(
                level=name,
                pushed=self._pushed[level],
                critical=self._critical[level],
                shown=self._pushed[level] - grouped[level],
                grouped=grouped[level],
            )
            for level, name in enumerate(self._levels.names)
        )


def alerts_of(plan: Plan, began: datetime, exceptions: Iterable[ExceptionReport]) -> Alerts:
    """Return what people are shown of what was pushed in a run."""
    reports = tuple(exceptions)
    budget = AttentionBudget(plan, began)
    for report in reports:
        budget.admit(report)
    return Alerts(
        an_hour=plan.alerts_an_hour,
        levels=budget.levels,
        shown=tuple(budget.shown),
        grouped=budget.grouped,
        missed_critical=len(missed_critical(reports, budget.shown)),
    )


def missed_critical(
    on_record: Iterable[ExceptionReport], shown: Sequence[ExceptionReport]
) -> tuple[ExceptionReport, ...]:
    """Return the critical exceptions on record that are not among those shown: what was shown is all that counts."""
    left = Counter(map(_identity, shown))
    missed: list[ExceptionReport] = []
    for report in on_record:
        if report.level is not Level.CRITICAL:
            continue
        if left[_identity(report)]:
            left[_identity(report)] -= 1
        else:
            missed.append(report)
    return tuple(missed)


def _identity(report: ExceptionReport) -> tuple[object, ...]:
    """Return what tells one exception from another to whoever reads it."""
    return report.trigger, report.level, report.path, report.message, report.at
