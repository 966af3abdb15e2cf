"""What a sample leaves to be done, and what that is expected to take, from the log of its run (V6). Pure."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from echelon.model.graph import TaskSpec
from echelon.model.integration import task_checked
from echelon.model.phrasing import count, listed, percent
from echelon.model.plan import PhasePlan, Plan
from echelon.model.run import StepKind, StepRecord
from echelon.model.views.rest import Estimate, LeftOut, PhaseRest, Rest
from echelon.planning.sample import sample_of
from echelon.planning.schedule.order import producers_of
from echelon.planning.schedule.remaining import makespan_of
from echelon.runlog.state import RunState, StepName

#: Below so many completed tasks a sample is said to be small.
SMALL_SAMPLE = 10

#: Phases named in a note at most.
NAMED = 5

#: How many standard errors hold 19 of 20 cases, for 1, 2 … degrees of freedom (Student's t); behind that the last.
# fmt: off
T_95 = (
    12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 1.960,
)
# fmt: on


def left_out(state: RunState) -> dict[str, str]:
    """Return the tasks of the plan that are not begun since only a sample was asked for, with the reason."""
    if state.sample is None or state.plan is None:
        return {}
    done = {name.task_id for name in state.latest if name.kind is StepKind.TASK}
    found = sample_of(state.plan, state.sample.items, state.sample.held).left_out
    return {task: why for task, why in found.items() if task not in done}


def held_phases(state: RunState) -> frozenset[str]:
    """Return the phases that a sample does not begin at all."""
    return frozenset(state.sample.held) if state.sample else frozenset()


def rest_of(state: RunState) -> Rest | None:
    """Return what is left to be done and what it is expected to take; None where no sample leaves anything."""
    plan, sample = state.plan, state.sample
    out = left_out(state)
    if plan is None or sample is None or not (out or sample.held):
        return None
    measured = _measured(state, plan)
    todo = _todo(plan, measured, out)
    phases = [_phase_rest(phase, todo, measured) for phase in plan.phases if phase.name not in sample.held]
    phases = [phase for phase in phases if phase.left or phase.again]
    seconds, unknown = _seconds(plan, todo, measured, sample.held)
    return Rest(
        items=sample.items,
        left_out=tuple(_left_out(plan, out, sample.held)),
        left=sum(task not in measured or not measured[task].done for task in todo),
        again=sum(phase.again for phase in phases),
        phases=tuple(phases),
        seconds=makespan_of(plan, seconds, _integration_seconds(plan, state)),
        work_seconds=_sum(phase.work_seconds for phase in phases),
        tokens=_sum(phase.tokens for phase in phases),
        cost=_sum(phase.cost for phase in phases),
        notes=tuple(_notes(plan, state, phases, unknown)),
    )


@dataclass(frozen=True)
class _Measured:
    """What is known of a task that has ended: all its rounds, with what was found out about them."""

    done: bool
    seconds: float
    tokens: int | None
    cost: float | None


def _measured(state: RunState, plan: Plan) -> dict[str, _Measured]:
    """Return what was measured of each task; of a round that was done twice, what was done last."""
    latest: dict[str, dict[tuple[StepKind, int, int], StepRecord]] = defaultdict(dict)
    tasks = {task.id for task in plan.tasks}
    for step in state.steps:
        task = step.handoff.task_id if step.kind is StepKind.TASK else task_checked(step.handoff.task_id)
        if task in tasks and step.kind in (StepKind.TASK, StepKind.CHECK):
            latest[task][step.kind, step.round, step.replica] = step
    found: dict[str, _Measured] = {}
    for name, step in state.latest.items():
        if name.kind is StepKind.TASK and name.task_id in latest:
            found[name.task_id] = _of_task(step.handoff.done, list(latest[name.task_id].values()))
    return found


def _of_task(done: bool, steps: Sequence[StepRecord]) -> _Measured:
    tokens = [step.handoff.usage.tokens for step in steps if step.handoff.usage.tokens is not None]
    costs = [step.handoff.usage.cost for step in steps if step.handoff.usage.cost is not None]
    seconds = sum((step.finished - step.started).total_seconds() for step in steps)
    return _Measured(done, seconds, sum(tokens) if tokens else None, sum(costs) if costs else None)


def _todo(plan: Plan, measured: Mapping[str, _Measured], out: Iterable[str]) -> frozenset[str]:
    """Return what a resumed run does: what has not delivered, and what uses the output of such a task, however far."""
    tasks = {task.id: task for task in plan.tasks}
    todo = {*out, *(task for task in tasks if task not in measured or not measured[task].done)}
    growing = {tasks[task].phase for task in todo}
    for phase in plan.phases:
        # A phase that goes on with each item of another one gets nothing of its other items (D1).
        whole = growing - {phase.continues}
        changed = [task for task in phase.tasks if _uses(tasks[task], todo, whole)]
        changed += _continuing(plan, phase, todo)
        todo.update(changed)
        growing.update(tasks[task].phase for task in changed)
    return frozenset(todo)


def _uses(task: TaskSpec, todo: Iterable[str], growing: Iterable[str | None]) -> bool:
    return any(one in todo for one in producers_of(task)) or any(one in growing for one in task.needs)


def _continuing(plan: Plan, phase: PhasePlan, todo: Iterable[str]) -> list[str]:
    """Return the tasks that go on with an item on which something is still to be done."""
    if phase.continues is None:
        return []
    wanted = frozenset(todo)
    held = {task: plan.nodes[plan.agent_of[task]].members for task in phase.tasks}
    return [task for task, members in held.items() if wanted.intersection(members[: members.index(task)])]


def _phase_rest(phase: PhasePlan, todo: frozenset[str], measured: Mapping[str, _Measured]) -> PhaseRest:
    ended = [measured[task] for task in phase.tasks if task in measured]
    done = [one for one in ended if one.done]
    here = [task for task in phase.tasks if task in todo]
    again = sum(task in measured and measured[task].done for task in here)

    def known(value: Callable[[_Measured], float | None]) -> list[float]:
        return [found for one in done if (found := value(one)) is not None]

    seconds, tokens, cost = known(lambda one: one.seconds), known(lambda one: one.tokens), known(lambda one: one.cost)
    return PhaseRest(
        phase=phase.name,
        left=len(here) - again,
        again=again,
        completed=len(done),
        failed=len(ended) - len(done),
        seconds_each=_mean(seconds),
        tokens_each=_mean(tokens),
        cost_each=_mean(cost),
        work_seconds=foresee(seconds, len(here)),
        tokens=foresee(tokens, len(here)),
        cost=foresee(cost, len(here)),
    )


def foresee(sample: Sequence[float], number: int) -> Estimate | None:
    """Return what `number` further values sum up to, if they are like those of a sample; None without a sample.

    The range holds 19 of 20 such sums: what they differ by among each other, and how well the sample knows their mean.

    >>> foresee([2.0, 4.0], 1).expected
    3.0
    """
    mean = _mean(sample)
    if mean is None:
        return None
    expected = mean * number
    if len(sample) < 2:
        return Estimate(expected=expected)
    variance = sum((value - mean) ** 2 for value in sample) / (len(sample) - 1)
    error = math.sqrt(variance * (number + number**2 / len(sample)))
    width = T_95[min(len(sample) - 1, len(T_95)) - 1] * error
    return Estimate(expected=expected, low=max(0.0, expected - width), high=expected + width)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _sum(parts: Iterable[Estimate | None]) -> Estimate | None:
    """Return the sum of what is known; the phases are independent of each other, so that errors partly cancel out."""
    known = [part for part in parts if part is not None]
    if not known:
        return None
    expected = sum(part.expected for part in known)
    if any(part.high is None for part in known):
        return Estimate(expected=expected)
    width = math.sqrt(sum(((part.high or 0.0) - part.expected) ** 2 for part in known))
    return Estimate(expected=expected, low=max(0.0, expected - width), high=expected + width)


def _seconds(
    plan: Plan, todo: Iterable[str], measured: Mapping[str, _Measured], held: Mapping[str, str]
) -> tuple[dict[str, float], list[str]]:
    """Return the duration of each task to do, and the phases of which nothing is known.

    Those of the sample are taken in turn, since tasks that differ take longer side by side than their mean says; where
    nothing was completed, it is what is stated.
    """
    stated = {task.id: task.seconds for task in plan.tasks}
    seconds: dict[str, float] = {}
    unknown = [name for name in held if name not in {phase.name for phase in plan.phases}]
    wanted = frozenset(todo)
    for phase in plan.phases:
        known = [measured[task].seconds for task in phase.tasks if task in measured and measured[task].done]
        for place, task in enumerate(task for task in phase.tasks if task in wanted):
            found = known[place % len(known)] if known else stated[task]
            if found is None:
                unknown.append(phase.name)
            else:
                seconds[task] = found
    return seconds, list(dict.fromkeys(unknown))


def _integration_seconds(plan: Plan, state: RunState) -> float | None:
    """Return the mean of the integrations that were made; 0 where nothing integrates, None where it is not known."""
    spans = [
        (step.finished - step.started).total_seconds()
        for step in state.latest.values()
        if step.kind is StepKind.INTEGRATION
    ]
    return _mean(spans) if spans else 0.0 if all(phase.integration == "none" for phase in plan.phases) else None


def _left_out(plan: Plan, out: Mapping[str, str], held: Mapping[str, str]) -> Iterator[LeftOut]:
    for phase in plan.phases:
        reasons = Counter(out[task] for task in phase.tasks if task in out)
        yield from (LeftOut(phase=phase.name, tasks=number, reason=reason) for reason, number in reasons.items())
    planned = {phase.name for phase in plan.phases}
    yield from (LeftOut(phase=name, tasks=0, reason=why) for name, why in held.items() if name not in planned)


def _notes(plan: Plan, state: RunState, phases: Sequence[PhaseRest], unknown: Sequence[str]) -> Iterator[str]:
    small = [phase.phase for phase in phases if 0 < phase.completed < SMALL_SAMPLE]
    if small:
        fewest = min(phase.completed for phase in phases if phase.completed)
        yield f"a small sample: {count(fewest, 'task')} completed of phase {_names(small)}, so take it as a guess"
    for phase in phases:
        if phase.failed:
            share = percent(phase.failed_share)
            yield f"{share} of the sample of phase {phase.phase!r} failed; the forecast is of tasks that complete"
    if unknown:
        yield f"how long phase {_names(unknown)} takes is not known, and no part of the forecast"
    yield from _found_notes(plan, state, phases)
    integrated = [step for step in state.latest.values() if step.kind is StepKind.INTEGRATION]
    tokens = sum(step.handoff.usage.tokens or 0 for step in integrated)
    if tokens:
        yield f"integrations are no part of the tokens and the cost: they used {tokens:,} tokens in the sample"


def _found_notes(plan: Plan, state: RunState, phases: Sequence[PhaseRest]) -> Iterator[str]:
    """Say which items were found in the outputs of a sample, or are not found yet."""
    growing = {phase.phase for phase in phases}
    partly = {task.phase for task in plan.tasks if growing.intersection(task.needs)}
    found = [name.phase for name in state.latest if _finds(name) and name.phase in partly]
    if found:
        yield f"the items of phase {_names(found)} were found from a part of what they are found in: there may be more"
    if plan.open:
        yield f"the items of phase {_names([one.phase for one in plan.open])} are not known yet"


def _finds(name: StepName) -> bool:
    return name.kind is StepKind.PLANNING and name.task_id.startswith(f"{name.phase}/over/")


def _names(phases: Iterable[str]) -> str:
    return listed(list(dict.fromkeys(phases)), NAMED, repr)
