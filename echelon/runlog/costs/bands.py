"""When a measure is on target, a warning, or critical: one table (M). Pure.

The formulas, and what each measure leaves out, are in `docs/measures.md`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from echelon.model.costs.graded import GradedMeasure, Standing
from echelon.model.costs.measures import Measures
from echelon.model.phrasing import percent
from echelon.model.plan import Plan
from echelon.runlog.costs.trend import Trend, next_to_others
from echelon.runlog.signals import WAITING_SHARE

Grade = Literal["critical", "warning", "off_target"]


@dataclass(frozen=True)
class Limit:
    """A grade, and when a measure deserves it."""

    grade: Grade
    holds: Callable[[float], bool]


#: The usual share of coordination, whatever the number of agents (M1).
COORDINATION_TARGET = (0.15, 0.30)

#: From where on a share is a warning: of coordination (M1), and of the time of integrations (M6).
COORDINATION_WARNING, INTEGRATION_TIME_WARNING = 0.40, 0.30

#: The bands of M, the worst grade first; what deserves none is on target.
COORDINATION = (
    Limit("critical", lambda share: share > 0.5),
    Limit("warning", lambda share: share > COORDINATION_WARNING),
)
FIRST_TRY = (
    Limit("critical", lambda share: share < 0.5),
    Limit("warning", lambda share: share < 0.6),
    Limit("off_target", lambda share: share <= 0.7),
)
INTEGRATION = (
    Limit("critical", lambda share: share < 0.7),
    Limit("warning", lambda share: share < 0.8),
    Limit("off_target", lambda share: share <= 0.9),
)
ESCALATION = (
    Limit("critical", lambda share: share > 0.5 or share == 0),
    Limit("warning", lambda share: share > 0.3 or share < 0.05),
    Limit("off_target", lambda share: share > 0.2),
)
CONTEXT = (
    Limit("warning", lambda share: share > 0.9 or share < 0.3),
    Limit("off_target", lambda share: share > 0.8 or share < 0.5),
)
INTEGRATION_TIME = (Limit("warning", lambda share: share > INTEGRATION_TIME_WARNING),)
SPEEDUP = (Limit("critical", lambda gain: gain < 1.0), Limit("warning", lambda gain: gain < 1.05))
WAITING = (Limit("warning", lambda share: share > WAITING_SHARE),)
GROWTH = (Limit("warning", lambda steps: steps >= 1),)
SATURATED = 0.9  # of what a coordinator and those below it use; more is critical (M9)
SINGLE = (Limit("off_target", lambda times: times <= 1),)


def grade(value: float, limits: tuple[Limit, ...]) -> Grade | None:
    """Return the worst grade that a measure deserves; None on target."""
    return next((limit.grade for limit in limits if limit.holds(value)), None)


@dataclass(frozen=True)
class _Case:
    """What a measure is graded from."""

    found: Measures
    highest: float
    """The highest share of coordination that is usual for so many agents (R4)."""
    trend: Trend


Unit = Literal["share", "times", "steps"]


def _as_limits_say(_case: _Case, found: Grade | None) -> Grade | None:
    return found


def _nothing_more(_case: _Case) -> str:
    return ""


@dataclass(frozen=True)
class _Row:
    """A measure: how it is called, what is wanted, where its value is, and when it is bad."""

    id: str
    name: str
    unit: Unit
    target: str
    value: Callable[[_Case], float | None]
    limits: tuple[Limit, ...]
    judge: Callable[[_Case, Grade | None], Grade | None] = _as_limits_say
    note: Callable[[_Case], str] = _nothing_more


def _usual(case: _Case, found: Grade | None) -> Grade | None:
    """At some sizes more coordination is usual (R4): what is usual there is no waste where nobody gets below it."""
    value = case.found.coordination_ratio
    return found or ("off_target" if value is not None and value > case.highest else None)


def _saturated(case: _Case, found: Grade | None) -> Grade | None:
    load = case.found.coordinator_load
    return "critical" if load is not None and load > SATURATED else found


def _twice(case: _Case, found: Grade | None) -> Grade | None:
    """Once may be chance: the run before must have been no better than one agent, too."""
    return "warning" if found and case.trend.single_before is not None and case.trend.single_before <= 1 else found


def _growth(case: _Case) -> float | None:
    if case.found.makespan_seconds is None:
        return None
    return max((queue.growth for queue in case.found.queues), default=0.0)


def _queues(case: _Case) -> str:
    grown = [queue for queue in case.found.queues if queue.growth >= 1]
    longest = max(case.found.queues, key=lambda queue: queue.most, default=None)
    parts = [f"grew before {', '.join(queue.name for queue in grown[:3])}"] if grown else []
    parts += [f"at most {longest.most} before {longest.name}"] if longest else ["nothing waited"]
    return "; ".join(parts)


def _scaled(case: _Case) -> str:
    found = case.found
    speedup = "" if found.speedup is None else f"speed-up {found.speedup:.1f} ×"
    rate = "" if found.throughput_per_hour is None else f"{found.throughput_per_hour:,.0f} tasks an hour"
    return "; ".join(filter(None, (rate, speedup, case.trend.said)))


def _beside(case: _Case) -> str:
    found = case.found.against_single
    if found is None:
        return "no baseline: echelon run --single measures one, or the organisation of the job states it"
    parts = (("tokens", found.tokens), ("cost", found.cost))
    return ", ".join(f"{times:.2f} × its {name} a task" for name, times in parts if times is not None)


def _single(case: _Case) -> float | None:
    return case.found.against_single.throughput if case.found.against_single else None


ROWS: tuple[_Row, ...] = (
    _Row(
        "M1",
        "coordination, share of work and coordination",
        "share",
        "15–30 % by scale",
        lambda case: case.found.coordination_ratio,
        COORDINATION,
        _usual,
    ),
    _Row("M2", "tasks done at the first attempt", "share", "> 70 %", lambda c: c.found.first_try_rate, FIRST_TRY),
    _Row("M3", "integrations without rework", "share", "> 90 %", lambda c: c.found.sound_integrations, INTEGRATION),
    _Row("M4", "tasks that escalate", "share", "5–20 %", lambda c: c.found.escalation_rate, ESCALATION),
    _Row("M5", "context used at completion", "share", "50–80 %", lambda c: c.found.context_use, CONTEXT),
    _Row(
        "M6",
        "integration, share of working time",
        "share",
        "≤ 30 %",
        lambda c: c.found.integration_share,
        INTEGRATION_TIME,
    ),
    _Row(
        "M7",
        "throughput beside the best run with fewer agents",
        "times",
        "grows with agents",
        lambda case: case.trend.gain,
        SPEEDUP,
        note=_scaled,
    ),
    _Row(
        "M8",
        "wait for coordinators, share of task time",
        "share",
        "≤ 20 %",
        lambda c: c.found.coordinator_wait,
        WAITING,
    ),
    _Row("M9", "growth of the queue that grew most", "steps", "flat", _growth, GROWTH, _saturated, _queues),
    _Row("M10", "throughput against one agent", "times", "> 1", _single, SINGLE, _twice, _beside),
)

_BANDS: Mapping[Grade | None, Standing] = {
    "critical": "critical",
    "warning": "warning",
    "off_target": "ok",
    None: "ok",
}


def graded(found: Measures, plan: Plan | None = None, trend: Trend | None = None) -> tuple[GradedMeasure, ...]:
    """Return how each of the ten measures stands; `trend` is how the run stands to earlier ones of its job."""
    usual = plan.profile.overhead.high if plan else 0.0
    case = _Case(found, max(COORDINATION_TARGET[1], usual), trend or next_to_others(found, ()))
    return tuple(_graded(row, case) for row in ROWS)


def _graded(row: _Row, case: _Case) -> GradedMeasure:
    value = row.value(case)
    bad = None if value is None else row.judge(case, grade(value, row.limits))
    target = row.target
    if row.id == "M1":
        target = f"{percent(COORDINATION_TARGET[0])}–{percent(case.highest)}".replace(" %–", "–")
    return GradedMeasure(
        id=row.id,
        name=row.name,
        value=value,
        unit=row.unit,
        target=target,
        band="unknown" if value is None else _BANDS[bad],
        on_target=None if value is None else bad is None,
        note=row.note(case),
    )
