"""Shared things: what more than one task changes, and who does so in which turn (D4)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from echelon.model.markdown import NAMED_AT_MOST, literal, names
from echelon.model.phrasing import count, listed
from echelon.model.plan import Plan

NAMED_IN_A_ROW = 4  # names of one row, where a list has a row for each of several things


def shared_things(plan: Plan) -> Mapping[str, Sequence[tuple[str, str]]]:
    """Return the things that more than one task changes, each with the tasks and their phases in order (D4)."""
    phase_of = {task: (number, phase.name) for number, phase in enumerate(plan.phases) for task in phase.tasks}
    changed: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for task in plan.tasks:
        for thing in task.touches:
            changed[thing].append((*phase_of[task.id], task.id))
    return {
        thing: [(name, task) for _, name, task in sorted(places)]
        for thing, places in changed.items()
        if len(places) > 1
    }


def turns(plan: Plan) -> Iterator[str]:
    """Say of each shared thing who changes it, in which turn."""
    things = shared_things(plan)
    for thing, places in list(things.items())[:NAMED_AT_MOST]:
        yield f"{literal(thing)} is changed by {_changing(plan, places)}."
    if len(things) > NAMED_AT_MOST:
        yield f"And {len(things) - NAMED_AT_MOST:,} more things are shared in this way."


def _changing(plan: Plan, places: Sequence[tuple[str, str]]) -> str:
    """Return who changes a thing: in turns, or one agent that holds all tasks which do, so that nobody takes turns."""
    agents = dict.fromkeys(plan.agent_of.get(task, task) for _, task in places)
    if len(agents) == 1:
        return f"{count(len(places), 'task')}, one after another, all of them of agent {names(list(agents))}"
    by_phase: dict[str, list[str]] = defaultdict(list)
    for phase, task in places:
        by_phase[phase].append(task)
    return listed(list(by_phase.items()), NAMED_IN_A_ROW, _turn, between=", then ")


def _turn(place: tuple[str, Sequence[str]]) -> str:
    phase, tasks = place
    one_by_one = ", one at a time" if len(tasks) > 1 else ""
    return f"{names(tasks, NAMED_IN_A_ROW)} in {literal(phase)}{one_by_one}"
