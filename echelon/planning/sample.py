"""Which tasks of a plan are done in a sample: a few of each wide phase, and nothing that cannot be undone. Pure.

The same plan always gives the same sample, and a larger sample holds the smaller one: what it did is not done again.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import NamedTuple, TypeVar

from echelon.model.graph import TaskSpec
from echelon.model.plan import PhasePlan, Plan
from echelon.planning.schedule.order import producers_of
from echelon.planning.schedule.phase_graph import ancestors, needs_of_phases

T = TypeVar("T")

#: Of the whole.
GOLDEN_SECTION = (5**0.5 - 1) / 2

#: Why a task is left out that would get nothing of what it uses.
NOTHING_TO_USE = "what it uses is not in the sample"

#: Why a phase is not begun at all.
_FINAL = "what it does cannot be undone, and is never done in a sample"


class Sample(NamedTuple):
    """What is done of a plan, and what is not."""

    chosen: Mapping[str, tuple[str, ...]]
    """Tasks that are done, by phase; a phase without any is not begun."""
    left_out: Mapping[str, str]
    """Tasks that are not, with the reason."""


def held_back(plan: Plan) -> dict[str, str]:
    """Return the phases that a sample does not begin, with the reason: what cannot be undone, and what needs it."""
    tasks = {task.id: task for task in plan.tasks}
    final = [phase.name for phase in plan.phases if _is_final(phase, tasks)]
    final += [one.phase for one in plan.open if one.irreversible]
    needs = _needs(plan)
    held: dict[str, str] = {}
    for phase in needs:
        behind = [name for name in final if name in ancestors(needs, phase)]
        if phase in final:
            held[phase] = _FINAL
        elif behind:
            held[phase] = f"it needs phase {behind[0]!r}, which is not begun in a sample"
    return held


def sample_of(plan: Plan, items: int, held: Mapping[str, str]) -> Sample:
    """Choose what is done where `items` of each phase are asked for; phases that are `held` are left out as a whole.

    What one agent does is one item. In a wide phase they are spread evenly over its domains, and within each of these
    over their order. Where tasks use tasks, those whose producers are in the sample go first, and one that would get
    nothing of what it uses is left out.
    """
    tasks = {task.id: task for task in plan.tasks}
    left_out: dict[str, str] = {}
    chosen: dict[str, tuple[str, ...]] = {}
    idle: set[str] = set()
    for phase in plan.phases:
        units = _units(plan, phase)
        if phase.name in held:
            taken, why = set[str](), dict.fromkeys(units, held[phase.name])
        else:
            taken, why = _chosen(plan, units, items, tasks, left_out, idle)
        chosen[phase.name] = tuple(task for task in phase.tasks if plan.agent_of.get(task, task) in taken)
        left_out |= {task: why[agent] for agent, own in units.items() if agent not in taken for task in own}
        idle |= units.keys() - taken
    return Sample(chosen, left_out)


def spread(items: Sequence[T]) -> Iterator[T]:
    """Yield items so that however many are taken, they lie evenly: the one in the middle first.

    Each further one is a golden section behind the one before, around and around: no other step spreads better.

    >>> list(spread("abcdefg"))
    ['d', 'a', 'f', 'c', 'g', 'e', 'b']
    """
    taken: set[int] = set()
    for step in count():
        if len(taken) == len(items):
            return
        place = int((0.5 + step * GOLDEN_SECTION) % 1.0 * len(items))
        if place not in taken:
            taken.add(place)
            yield items[place]


def _is_final(phase: PhasePlan, tasks: Mapping[str, TaskSpec]) -> bool:
    return any(tasks[task].irreversible for task in phase.tasks)


def _needs(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return what each phase waits for, those that are not planned yet among them."""
    tasks = {task.id: task for task in plan.tasks}
    needs = needs_of_phases(plan.phases)
    declared = {phase.name: [one for task in phase.tasks for one in tasks[task].needs] for phase in plan.phases}
    planned = {name: tuple(dict.fromkeys((*declared[name], *found))) for name, found in needs.items()}
    return planned | {one.phase: one.after for one in plan.open}


def _units(plan: Plan, phase: PhasePlan) -> dict[str, list[str]]:
    """Return what each agent does in a phase, by agent."""
    units: dict[str, list[str]] = defaultdict(list)
    for task in phase.tasks:
        units[plan.agent_of.get(task, task)].append(task)
    return dict(units)


def _chosen(
    plan: Plan,
    units: Mapping[str, Sequence[str]],
    items: int,
    tasks: Mapping[str, TaskSpec],
    left_out: Mapping[str, str],
    idle: Iterable[str],
) -> tuple[set[str], dict[str, str]]:
    """Return the agents that are chosen, and why each of the others is not."""
    whole: dict[str, list[str]] = defaultdict(list)
    partly: dict[str, list[str]] = defaultdict(list)
    starved: list[str] = []
    for agent, own in units.items():
        used = [producer for task in own for producer in producers_of(tasks[task]) if producer not in own]
        lacks = sum(producer in left_out for producer in used)
        domain = _domain(plan, tasks[own[0]], agent)
        if agent in idle or (used and lacks == len(used)):
            starved.append(agent)
        else:
            (partly if lacks else whole)[domain].append(agent)
    order = [*_over_domains(whole), *_over_domains(partly)]
    wide = f"only a sample of {items:,} was asked for"
    why = dict.fromkeys(order[items:], wide) | dict.fromkeys(starved, NOTHING_TO_USE)
    return set(order[:items]), why


def _domain(plan: Plan, task: TaskSpec, agent: str) -> str:
    """Return the domain that a task belongs to, or else the coordinator of its agent."""
    node = plan.nodes.get(agent)
    return (task.domain or "").partition(".")[0] or (node.parent if node else None) or ""


def _over_domains(domains: Mapping[str, Sequence[T]]) -> Iterator[T]:
    """Yield one of each domain in turn, until all are out."""
    turns = [spread(members) for members in spread(list(domains.values()))]
    while turns:
        left: list[Iterator[T]] = []
        for turn in turns:
            for one in turn:
                yield one
                left.append(turn)
                break
        turns = left
