"""How long each task of a plan is expected to take by what was learnt, and for how much. Pure."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator

from echelon.model.graph import TaskSpec
from echelon.model.learning.learnt import Learnt, LearntAgent, Spread
from echelon.model.learning.lesson import level_of
from echelon.model.plan import PhasePlan, Plan
from echelon.model.views.rest import Estimate
from echelon.planning.features import stages_of
from echelon.planning.schedule.makespan import PhaseOverhead

#: Name of the agent of a task that says nothing of who does it; and of whoever integrates a phase.
UNNAMED, INTEGRATION = "agent", "integration"

#: So many of them to each side hold 19 of 20 cases.
STANDARD_ERRORS = 1.96

#: Each of these steps leaves the rest of a row without a pattern: the golden section.
_GOLDEN = 0.6180339887498949


def agent_name(task: TaskSpec) -> str:
    """Return the name under which is kept what an agent takes."""
    return task.capability or UNNAMED


def learnt_agent(learnt: Learnt, phase: str, agent: str) -> LearntAgent | None:
    """Return what is known of an agent in a phase; where it is new there, what it took in another one."""
    known = learnt.phases.get(phase)
    if known is not None and agent in known.agents:
        return known.agents[agent]
    return next((one.agents[agent] for one in learnt.phases.values() if agent in one.agents), None)


def by_agent(plan: Plan, phase: PhasePlan) -> dict[str, list[TaskSpec]]:
    """Return the tasks of a phase by the agent that does them."""
    tasks = {task.id: task for task in plan.tasks}
    found: dict[str, list[TaskSpec]] = defaultdict(list)
    for task in phase.tasks:
        found[agent_name(tasks[task])].append(tasks[task])
    return found


def expected_seconds(plan: Plan, learnt: Learnt, turn: int = 0) -> tuple[dict[str, float], tuple[str, ...]]:
    """Return how long each task takes, and the phases of which nothing was learnt.

    Tasks that differ are not alike: each gets another part of what was measured, the longest included. Which one gets
    which is not known; `turn` changes it. Where nothing was learnt, it is what is stated.
    """
    seconds: dict[str, float] = {}
    unknown: list[str] = []
    for phase in plan.phases:
        for agent, own in by_agent(plan, phase).items():
            known = learnt_agent(learnt, phase.name, agent)
            wall = known and (known.wall or known.seconds)
            if wall is None:
                unknown.append(phase.name)
                seconds |= {task.id: task.seconds for task in own if task.seconds is not None}
                continue
            seconds |= dict(zip((task.id for task in own), spread_over(wall, len(own), turn), strict=True))
    return seconds, tuple(dict.fromkeys(unknown))


def spread_over(known: Spread, number: int, turn: int = 0) -> Iterator[float]:
    """Yield so many values that are spread as what was measured, in an order without a pattern."""
    if not known.quantiles or number == 1:
        yield from [known.usual if not known.quantiles else level_of(known.quantiles, 0.5)] * number
        return
    order = sorted(range(number), key=lambda one: ((one + 1 + turn * 7) * _GOLDEN) % 1.0)
    yield from (level_of(known.quantiles, place / (number - 1)) for place in order)


def learnt_overheads(plan: Plan, learnt: Learnt) -> dict[str, PhaseOverhead]:
    """Return what phases take beyond their tasks; of one of which that is not known it is that of the others."""
    known = {name: one for name, one in learnt.phases.items() if one.task_overhead_seconds is not None}
    if not known:
        return {}
    made = {
        name: PhaseOverhead(
            lead=_usual(one.lead_seconds), tail=_usual(one.tail_seconds), per_task=_usual(one.task_overhead_seconds)
        )
        for name, one in known.items()
    }
    middle = PhaseOverhead(*(sorted(values)[len(made) // 2] for values in zip(*made.values(), strict=True)))
    return {stage.name: made.get(stage.name, middle) for stage in stages_of(plan.phases)}


def _usual(known: Spread | None) -> float:
    return 0.0 if known is None else known.usual


def expected_sum(plan: Plan, learnt: Learnt, what: Callable[[LearntAgent], Spread | None]) -> Estimate | None:
    """Return what all tasks and integrations use together, by what one of them does; None where none is known to.

    The range holds 19 of 20 such sums.
    """
    parts = [one for phase in plan.phases for one in _used(plan, phase, learnt, what)]
    if not parts:
        return None
    expected = sum(number * spread.usual for number, spread in parts)
    variance = sum(spread.deviation**2 * (number + number**2 / spread.count) for number, spread in parts)
    width = STANDARD_ERRORS * math.sqrt(variance)
    return Estimate(expected=expected, low=max(0.0, expected - width), high=expected + width)


def _used(
    plan: Plan, phase: PhasePlan, learnt: Learnt, what: Callable[[LearntAgent], Spread | None]
) -> Iterator[tuple[float, Spread]]:
    """Yield how many tasks, or integrations, use something, and how that varies."""
    for agent, own in by_agent(plan, phase).items():
        known = learnt_agent(learnt, phase.name, agent)
        spread = known and what(known)
        if known is not None and spread is not None:
            reporting = spread.count / known.wall.count if known.wall else 1.0
            yield reporting * len(own), spread
    here = learnt.phases.get(phase.name)
    merged = here.agents.get(INTEGRATION) if here else None
    spread = merged and what(merged)
    if spread is not None:
        yield spread.count / learnt.runs, spread
