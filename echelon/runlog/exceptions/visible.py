"""What the levels of a run see of it: the roll-up, what was pushed, and how old that is (V3, V7, V10). Pure."""

from collections.abc import Iterable, Iterator

from echelon.model.plan import Plan
from echelon.model.views.rollup import InformationAge, Visibility
from echelon.runlog.exceptions.attention import alerts_of
from echelon.runlog.exceptions.levels import Levels
from echelon.runlog.exceptions.roll_up import roll_up
from echelon.runlog.state import RunState, StepName


def visibility_of(state: RunState, asked: Iterable[StepName]) -> Visibility:
    """Return what the levels of a run see, given the tasks that are asked for."""
    record, plan = state.record, state.plan
    if record is None or plan is None:
        return Visibility()
    return Visibility(
        levels=roll_up(state, asked),
        alerts=alerts_of(plan, record.started, state.exceptions),
        ages=tuple(_ages(state, plan)),
        watching_seconds=sum(one.processor_seconds for one in state.watches) if state.watches else None,
    )


def _ages(state: RunState, plan: Plan) -> Iterator[InformationAge]:
    """Yield how old what each level knows is: as many hops as levels lie below it, each as long as was measured last.

    All levels read the same record, which is one hop; a level whose coordinator only knows what was handed to it is as
    old as all hops together. The most is said.
    """
    names = Levels(plan).names
    measured = next((one for one in reversed(state.watches) if one.seen), None)
    for depth, name in enumerate(names):
        hops = len(names) - depth
        usual, most = (measured.delay_seconds, measured.delay_seconds_p90) if measured else (None, None)
        yield InformationAge(
            level=name,
            hops=hops,
            seconds=None if usual is None else hops * usual,
            seconds_p90=None if most is None else hops * most,
        )
