"""What a job would be with the fewest and with the most items that are expected: its forecast at both ends (D4, V6)."""

from collections.abc import Iterator, Sequence
from itertools import count, cycle, islice

from pydantic import BaseModel

from echelon.agents.prices import published_prices
from echelon.definition.definition import JobDefinition
from echelon.definition.expansion import expand, expected_task
from echelon.definition.items import TOO_FEW
from echelon.definition.phase import PhaseDefinition
from echelon.definition.planned import adapting_phases, grown_phases
from echelon.model.graph import CapacityLimit, TaskGraph, TaskSpec
from echelon.model.rolling.item_forecast import ForecastEnd, ForecastRange
from echelon.planning.planner import plan
from echelon.planning.regime import Priority

#: Agents that an end is planned with at most: a plan of so many takes seconds.
MAX_AGENTS = 10_000


def forecast_range(
    job: JobDefinition, inputs: BaseModel, *, priority: Priority | None = None, limits: Sequence[CapacityLimit] = ()
) -> ForecastRange | None:
    """Return the forecast of a job at both ends of what it expects; None for a job that states no range.

    Items that were found stand for those that would be: the first of them at the lower end, and at the upper end more
    in the same domains. An end of more than 10,000 agents has no forecast but their number.
    """
    ranges = {phase.name: phase.items for phase in job.phases.values() if phase.items and not _is_known(phase)}
    if not ranges:
        return None
    found = expand(job, inputs).graph

    def end(which: int) -> ForecastEnd:
        items = {name: ends[which] for name, ends in ranges.items()}
        expected = sum(items.values()) + sum(task.phase not in items for task in found.tasks)
        if expected > MAX_AGENTS:
            return ForecastEnd(items=items, n_agents=expected)
        tasks = tuple(task for phase in job.phases.values() for task in _tasks(job, phase, found, items))
        prices = published_prices(task.model for task in tasks) | job.prices
        made = plan(
            found.model_copy(update={"tasks": tasks, "prices": prices}),
            phase_order=tuple(job.phases),
            span=job.span,
            priority=priority,
            limits=limits,
            agents_fixed=True,
            grown=grown_phases(job),
            spans=dict.fromkeys(adapting_phases(job)),
        )
        return ForecastEnd(
            items=items,
            n_agents=made.n_agents,
            structure=made.structure,
            makespan=made.makespan,
            spending=made.spending,
        )

    return ForecastRange(low=end(0), high=end(1))


def _is_known(phase: PhaseDefinition) -> bool:
    """Say whether a plan has the items that a run will have: those foreseen, or one or none, as the inputs say."""
    return phase.foreseen is not None or (phase.items == (0, 1) and not phase.is_open)


def _tasks(job: JobDefinition, phase: PhaseDefinition, found: TaskGraph, items: dict[str, int]) -> Iterator[TaskSpec]:
    """Return the tasks of a phase: those found where no range is stated, else as many as there are items."""
    known = [task for task in found.tasks if task.phase == phase.name and task.capability != TOO_FEW]
    if phase.name not in items:
        yield from known
        return
    yield from known[: items[phase.name]]
    taken = {task.id for task in known}
    free = (name for number in count() if (name := f"{phase.name}/expected-{number}") not in taken)
    alike = cycle(known or [expected_task(job, phase)])
    for name in islice(free, max(0, items[phase.name] - len(known))):
        yield next(alike).model_copy(update={"id": name})
