"""Runs of any number of agents in domains and teams, as logs: random, by a seed."""

import random
from datetime import datetime, timedelta

from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.graph import TaskSpec
from echelon.model.plan import Node, NodeKind, PhasePlan, Plan, SyncPoint
from echelon.model.status import Status
from echelon.runlog import events as happened
from echelon.runlog.events import RunEvent
from echelon.testing.noon import NOON
from echelon.testing.run_events import run_started, small_plan, step_record, step_started

SPAN = 8

#: What is pushed of agents that do not fail, by how often.
TRIGGERS = (Trigger.LATE, Trigger.LATE, Trigger.RESOURCE, Trigger.HEARTBEAT, Trigger.BLOCKED)


def tree_of(agents: int) -> Plan:
    """Return a plan in which nobody has more than eight direct reports."""
    names = [f"t{number}" for number in range(agents)]
    level = [(f"a{number}", NodeKind.AGENT, (name,)) for number, name in enumerate(names)]
    nodes: list[tuple[str, NodeKind, tuple[str, ...]]] = []
    kinds = iter((NodeKind.TEAM, *([NodeKind.DOMAIN] * 9)))
    height = 0
    while len(level) > SPAN or not height:
        kind, height = next(kinds), height + 1
        groups = [level[first : first + SPAN] for first in range(0, len(level), SPAN)]
        nodes = [*level, *nodes]
        level = [
            (f"{kind.value}:{height}.{number}", kind, tuple(one[0] for one in group))
            for number, group in enumerate(groups)
        ]
    nodes = [*level, *nodes]
    parent = {member: name for name, kind, members in nodes if kind is not NodeKind.AGENT for member in members}
    top = Node(id="primary", kind=NodeKind.PRIMARY, parent=None, members=tuple(one[0] for one in level))
    below = [Node(id=name, kind=kind, parent=parent.get(name, "primary"), members=got) for name, kind, got in nodes]
    return small_plan().model_copy(
        update={
            "n_agents": agents,
            "tree": (top, *below),
            "tasks": tuple(TaskSpec(id=name, goal="look") for name in names),
            "phases": (PhasePlan(name="inspect", tasks=tuple(names), sync=SyncPoint(owner="primary")),),
        }
    )


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def random_log(plan: Plan, seed: int, *, share: float = 0.05, hours: float = 2.0) -> list[RunEvent]:
    """Return the log of a run in which so many agents deviate, each in one of several ways, one in five critically."""
    rng = random.Random(seed)
    events: list[RunEvent] = [
        run_started(plan=plan),
        happened.PhaseStarted(run_id="r1", at=NOON, phase="inspect", expected=len(plan.tasks)),
    ]
    deviating = set(rng.sample([task.id for task in plan.tasks], round(share * len(plan.tasks))))
    for task in plan.tasks:
        began = rng.uniform(0, hours * 3000)
        if rng.random() < 0.05:
            continue  # not begun
        events.append(step_started(task.id).model_copy(update={"at": at(began)}))
        if task.id in deviating:
            trigger = rng.choice((*TRIGGERS, Trigger.FAILED))
            level = Level.CRITICAL if rng.random() < 0.2 else Level.WARNING
            events.append(deviation(plan, task.id, plan.agent_of[task.id], trigger, level, began + rng.uniform(1, 600)))
            status = Status.FAILED if trigger is Trigger.FAILED else Status.COMPLETED
        else:
            status = Status.COMPLETED
        if status is Status.FAILED or rng.random() < 0.9:
            record = step_record(task.id, status).model_copy(update={"finished": at(began + 700)})
            events.append(happened.StepEnded(run_id="r1", at=record.finished, record=record))
    return [events[0], *sorted(events[1:], key=lambda event: event.at)]


def deviation(plan: Plan, task: str, node: str, trigger: Trigger, level: Level, seconds: float) -> RunEvent:
    report = ExceptionReport(
        trigger=trigger, level=level, path=plan.path(node), message=f"{task} deviates", at=at(seconds), tasks=(task,)
    )
    return happened.ExceptionPushed(run_id="r1", at=at(seconds), report=report)
