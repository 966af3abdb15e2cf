"""Whether a run that will be late is known to be so when half of its time is over (V6).

    python benchmarks/foresight.py [--json] [--runs 200] [--seed 16]

Logs of runs are simulated, for four shapes of jobs: each task takes a time of its own, and slots are given as in a run.
Ten usual runs of each are learnt from. Then come runs of which half are slowed down at random: all of it, all from some
time on, one phase, or one task; that begins in the first quarter of the time that was foreseen, since of what begins
just before half time nothing is to be seen then. A run is late that takes more than 20 % longer than its plan foresaw.
At half of the time that was foreseen its log is folded as far as it has come, and `foresee` is asked.

foreseen      share of the late runs of which that was said
false alarms  share of the runs that were not late of which it was said
"""

import argparse
import json
import random
import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heapify, heapreplace

from echelon.model.graph import CapacityLimit, TaskGraph, TaskSpec
from echelon.model.learning.learnt import Learnt
from echelon.model.plan import Plan
from echelon.planning.learning.forecast import with_learnt
from echelon.planning.learning.learn import learn
from echelon.planning.planner import plan
from echelon.planning.schedule.phase_graph import needs_of_phases
from echelon.runlog.events import PhaseEnded, PhaseStarted, RunEvent, RunStarted, StepEnded, StepStarted
from echelon.runlog.learning.foresight import foresee
from echelon.runlog.learning.lesson import lesson_of
from echelon.runlog.state import fold
from echelon.testing.noon import NOON
from echelon.testing.run_events import key_of, run_record, step_record

CLAIM = "At half time at least 80 % of late runs are foreseen to be late, and at most 10 % of the others are"

AIM_FORESEEN, AIM_FALSE = 0.80, 0.10

#: Runs that are learnt from.
USUAL_RUNS = 10

#: What is learnt from is made anew so often: a middle of ten runs is not the same twice.
PARTS = 5

#: A run is late that takes so much longer than its plan foresaw.
LATE = 1.20

#: A slowdown begins before this share of the time that is foreseen: what began just now nobody can know at half time.
EARLY = 0.25

#: How much the pace of usual runs differs.
PACE = 0.05

#: What a coordinator takes at a sync point, in seconds.
SYNC_SECONDS = 0.5


@dataclass(frozen=True)
class Shape:
    """A job: how many tasks each phase has, one behind the other, how many are at work, and how their times vary."""

    phases: tuple[int, ...]
    at_once: int
    seconds: float = 10.0
    spread: float = 0.3
    """Of the logarithm of the time of a task."""


SHAPES = {
    "wide": Shape((60,), 8),
    "deep": Shape((3, 3, 3, 3, 3, 3), 8),
    "funnel": Shape((2, 40, 6, 1), 10),
    "rough": Shape((24, 12), 6, spread=0.5),
}


@dataclass(frozen=True)
class Slowdown:
    """What slows a run down; of a usual one nothing does."""

    kind: str = "none"
    factor: float = 1.0
    begins: float = 0.0
    """From when on, in seconds."""
    phase: str = ""
    task: str = ""

    def end(self, phase: str, task: str, start: float, seconds: float) -> float:
        """Return when a task ends that starts then and takes so many seconds usually."""
        if (self.phase and phase != self.phase) or (self.task and task != self.task):
            return start + seconds
        before = min(seconds, max(0.0, self.begins - start))
        return start + before + (seconds - before) * self.factor


def plan_of(name: str, shape: Shape) -> Plan:
    """Return the plan of a shape, of which nobody states how long anything takes."""
    tasks = tuple(
        TaskSpec(
            id=f"p{at}/{one}", goal="work", phase=f"p{at}", capability=f"a{at}", needs=(f"p{at - 1}",) if at else ()
        )
        for at, number in enumerate(shape.phases)
        for one in range(number)
    )
    order = [f"p{at}" for at in range(len(shape.phases))]
    limits = [CapacityLimit(at_once=shape.at_once)]
    return plan(TaskGraph(name=name, goal="work", tasks=tasks), phase_order=order, limits=limits, agents_fixed=True)


def log_of(made: Plan, shape: Shape, chance: random.Random, slow: Slowdown) -> Sequence[RunEvent]:
    """Return the log of a run, in the order of time."""
    pace = chance.lognormvariate(0.0, PACE)
    events: list[RunEvent] = [RunStarted(run_id="r1", at=NOON, record=run_record(job=made.job, plan=made))]
    ended: dict[str, float] = {}
    needs = needs_of_phases(made.phases)
    for phase in made.phases:
        began = max((ended[one] for one in needs[phase.name]), default=0.0)
        events.append(PhaseStarted(run_id="r1", at=_at(began), phase=phase.name, expected=len(phase.tasks)))
        free = [began] * min(shape.at_once, len(phase.tasks))
        heapify(free)
        last = began
        for task in phase.tasks:
            seconds = shape.seconds * chance.lognormvariate(0.0, shape.spread) * pace
            start = free[0]
            end = slow.end(phase.name, task, start, seconds)
            heapreplace(free, end)
            events += _step(phase.name, task, start, end)
            last = max(last, end)
        ended[phase.name] = last + SYNC_SECONDS
        events.append(PhaseEnded(run_id="r1", at=_at(ended[phase.name]), phase=phase.name))
    return sorted(events, key=lambda event: event.at)


def _at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def _step(phase: str, task: str, start: float, end: float) -> Iterator[RunEvent]:
    yield StepStarted(
        run_id="r1", at=_at(start), key=key_of(task), task_id=task, phase=phase, node=task, step=step_record().kind
    )
    record = step_record(task, phase=phase).model_copy(update={"started": _at(start), "finished": _at(end)})
    yield StepEnded(run_id="r1", at=_at(end), record=record)


def slowdowns(made: Plan, forecast: float, chance: random.Random) -> Slowdown:
    """Return what slows a run down: nothing in half of them, else one of four things."""
    if chance.random() < 0.5:
        return Slowdown()
    early = forecast * EARLY
    begun, phases = _begun_by(made, early)
    kinds: Mapping[str, Callable[[], Slowdown]] = {
        "all of it": lambda: Slowdown("all of it", chance.uniform(1.3, 2.5)),
        "from then on": lambda: Slowdown("from then on", chance.uniform(1.5, 3.0), chance.uniform(0.0, early)),
        "a phase": lambda: Slowdown("a phase", chance.uniform(1.5, 3.0), phase=chance.choice(phases)),
        "a task": lambda: Slowdown("a task", chance.uniform(4.0, 12.0), task=chance.choice(begun)),
    }
    return kinds[chance.choice(list(kinds))]()


def _begun_by(made: Plan, seconds: float) -> tuple[list[str], list[str]]:
    """Return the tasks and the phases that have usually begun by then."""
    usual = log_of(made, SHAPES[made.job], random.Random(made.job), Slowdown())
    begun = [event for event in usual if isinstance(event, StepStarted) and event.at <= _at(seconds)]
    return [event.task_id for event in begun], list(dict.fromkeys(event.phase for event in begun))


@dataclass(frozen=True)
class Seen:
    """One run: whether it was late, and whether that was said at half time."""

    shape: str
    kind: str
    late: bool
    said: bool
    ratio: float
    """What it took by what was said at half time."""


def learnt_from(made: Plan, shape: Shape, chance: random.Random) -> Learnt:
    """Return what usual runs of a job teach."""
    lessons = [lesson_of(fold(log_of(made, shape, chance, Slowdown())), NOON) for _ in range(USUAL_RUNS)]
    learnt = learn([one for one in lessons if one is not None])
    assert learnt is not None, "runs were made"
    return learnt


def watch(name: str, runs: int, seed: int) -> Iterator[Seen]:
    """Yield runs of a shape."""
    shape, chance = SHAPES[name], random.Random(f"{name}/{seed}")
    bare = plan_of(name, shape)
    learnt = learnt_from(bare, shape, chance)
    made = with_learnt(bare, learnt)
    forecast = made.makespan.predicted
    assert forecast is not None, "ten runs are on record"
    for _ in range(runs):
        slow = slowdowns(made, forecast, chance)
        log = log_of(made, shape, chance, slow)
        took = max((event.record.finished for event in log if isinstance(event, StepEnded)), default=NOON) - NOON
        now = NOON + timedelta(seconds=forecast / 2)
        outlook = foresee(fold(event for event in log if event.at <= now), learnt, now)
        assert outlook is not None, "it is at work"
        ratio = took.total_seconds() / (outlook.elapsed + outlook.likely)
        yield Seen(name, slow.kind, took.total_seconds() > LATE * forecast, outlook.is_late, ratio)


def watch_all(name: str, runs: int, seed: int) -> Iterator[Seen]:
    """Yield runs of a shape: each ten usual runs are learnt from for a part of them."""
    for part in range(PARTS):
        yield from watch(name, runs // PARTS, seed + part)


def shares(seen: Sequence[Seen]) -> tuple[float, float]:
    """Return the share of late runs that were foreseen, and of the others that were said to be late."""
    late, others = [one for one in seen if one.late], [one for one in seen if not one.late]
    return (
        sum(one.said for one in late) / len(late) if late else 1.0,
        sum(one.said for one in others) / len(others) if others else 0.0,
    )


def main() -> None:
    """Measure, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200, help="runs of each shape")
    parser.add_argument("--seed", type=int, default=16)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    seen = [one for name in SHAPES for one in watch_all(name, options.runs, options.seed)]
    foreseen, false = shares(seen)
    groups = {
        **{name: [one for one in seen if one.shape == name] for name in SHAPES},
        **{kind: [one for one in seen if one.kind == kind] for kind in Counter(one.kind for one in seen)},
        "all": seen,
    }
    points = [
        {
            "group": name,
            "runs": len(group),
            "late": sum(one.late for one in group),
            "foreseen": round(shares(group)[0], 3),
            "false_alarms": round(shares(group)[1], 3),
            "took_by_said": round(statistics.median(one.ratio for one in group), 3),
        }
        for name, group in groups.items()
    ]
    if options.json:
        print(json.dumps({"claim": CLAIM, "points": points, "ratio": round(foreseen, 3)}))
        return
    print(f"{'':14} {'runs':>5} {'late':>5} {'foreseen':>9} {'false alarms':>13} {'took by said':>13}")
    for one in points:
        print(
            f"{one['group']:14} {one['runs']:5} {one['late']:5} {one['foreseen']:9.1%} {one['false_alarms']:13.1%} "
            f"{one['took_by_said']:13.2f}"
        )
    print(
        f"aim: foreseen at least {AIM_FORESEEN:.0%}, false alarms at most {AIM_FALSE:.0%}: {foreseen:.1%}, {false:.1%}"
    )


if __name__ == "__main__":
    main()
