"""Where the parts of a run stand, level by level: what each sees of the one below, eight lines at most (V3). Pure."""

from collections.abc import Iterable, Iterator, Mapping

from echelon.model.exception_report import Trigger
from echelon.model.status import Status
from echelon.model.views.rollup import MAX_LINES, LevelRollUp, RollUpLine, TaskCounts
from echelon.runlog.exceptions.levels import Levels
from echelon.runlog.state import RunState, StepName


def roll_up(state: RunState, asked: Iterable[StepName]) -> tuple[LevelRollUp, ...]:
    """Return the levels of a run, the top first, given the tasks that are asked for."""
    plan = state.plan
    if plan is None:
        return ()
    levels = Levels(plan)
    counts = _counted(state, levels.above, asked)
    return tuple(
        _level(name, {node: counts.get(node, _Tally()).counts() for node in nodes})
        for name, nodes in zip(levels.names, levels.coordinators, strict=True)
    )


class _Tally:
    """Counts of one coordinator while they are added up."""

    __slots__ = tuple(TaskCounts.model_fields)

    def __init__(self) -> None:
        for name in self.__slots__:
            setattr(self, name, 0)

    def add(self, what: str) -> None:
        setattr(self, what, getattr(self, what) + 1)

    def counts(self) -> TaskCounts:
        return TaskCounts(**{name: getattr(self, name) for name in self.__slots__})


def _counted(state: RunState, above: Mapping[str, tuple[str, ...]], asked: Iterable[StepName]) -> Mapping[str, _Tally]:
    """Count each task for all coordinators above who does it."""
    found: dict[str, _Tally] = {}
    late = {task for one in state.exceptions if one.trigger is Trigger.LATE for task in one.tasks}
    agents = state.plan.agent_of if state.plan else {}
    for name in asked:
        stands = ["total", *filter(None, [_stands(state, name)]), *(["late"] if name.task_id in late else [])]
        for node in above.get(agents.get(name.task_id, ""), ()):
            tally = found.setdefault(node, _Tally())
            for what in stands:
                tally.add(what)
    return found


def _stands(state: RunState, name: StepName) -> str:
    """Say where a task stands; empty for one that was not begun."""
    step = state.latest.get(name)
    if step is not None and step.handoff.done and name not in state.at_work:
        return "done"
    if name in state.at_work:
        return "blocked" if name.task_id in state.blocked else "active"
    if step is None:
        return ""
    waits = step.handoff.waits or step.handoff.status is Status.BLOCKED
    return "done" if step.handoff.done else "blocked" if waits else "failed"


def _level(name: str, counts: Mapping[str, TaskCounts]) -> LevelRollUp:
    return LevelRollUp(level=name, nodes=len(counts), lines=tuple(_lines(counts)))


def _lines(counts: Mapping[str, TaskCounts]) -> Iterator[RollUpLine]:
    """Yield the parts with most trouble first, in the order of the tree where they have the same; then the rest."""
    worst = sorted(counts.items(), key=lambda item: tuple(-number for number in item[1].trouble))
    shown = worst if len(worst) <= MAX_LINES else worst[: MAX_LINES - 1]
    for node, one in shown:
        yield RollUpLine(node=node, counts=one)
    rest = worst[len(shown) :]
    if rest:
        yield RollUpLine(node="", nodes=len(rest), counts=TaskCounts.sum_of(one for _, one in rest))
