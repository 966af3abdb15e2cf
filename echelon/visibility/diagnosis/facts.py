"""What detectors look at: one run, as its log says it, with the figures that several of them need. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from echelon.model.costs.account import CostKind
from echelon.model.diagnosis.bound import RunBound
from echelon.model.plan import NodeKind, Plan
from echelon.model.run import Measures, RunView, StepKind, StepRecord
from echelon.runlog.events import Logged, RunEvent
from echelon.runlog.state import RunState, fold
from echelon.runlog.view import view_of
from echelon.visibility.diagnosis.bound import bound_of

#: Rows that a finding names at most.
MAX_ROWS = 20


#: What coordinating is.
_COORDINATING = (CostKind.ORCHESTRATION, CostKind.INTEGRATION, CostKind.VERIFICATION, CostKind.READING)


class Found(NamedTuple):
    """What a detector has found."""

    strength: float
    """How far what was measured is beyond where the mode begins, as a ratio."""
    evidence: tuple[str, ...]
    """What was measured, in sentences."""
    rows: tuple[str, ...] = ()
    """What it was seen in."""


@dataclass(frozen=True)
class RunEvidence:
    """One run."""

    state: RunState
    """Where it stands."""
    view: RunView
    """The same, as people are shown it."""
    logged: tuple[Logged, ...]
    """What its steps logged."""

    @classmethod
    def of(cls, events: Iterable[RunEvent]) -> "RunEvidence":
        """Return what the log of a run says; it begins with the start of the run."""
        log = tuple(events)
        state = fold(log)
        return cls(
            state, view_of(state, lambda _output: None), tuple(event for event in log if isinstance(event, Logged))
        )

    @property
    def run_id(self) -> str:
        """The run."""
        return self.view.record.run_id

    @cached_property
    def plan(self) -> Plan:
        """The plan as it is now; asked where there is one."""
        plan = self.state.plan
        assert plan is not None, "a run without a plan is not diagnosed"
        return plan

    @property
    def measures(self) -> Measures:
        """What it measured."""
        return self.view.measures

    @cached_property
    def latest(self) -> tuple[StepRecord, ...]:
        """What counts of each step: replicas left out, and what is of earlier runs."""
        return tuple(step for step in self.state.latest.values() if not (step.replica or step.handoff.kept_from))

    @cached_property
    def tasks(self) -> tuple[StepRecord, ...]:
        """Tasks that ended."""
        return tuple(step for step in self.latest if step.kind is StepKind.TASK)

    @cached_property
    def integrations(self) -> tuple[StepRecord, ...]:
        """Integrations that ended."""
        return tuple(step for step in self.latest if step.kind is StepKind.INTEGRATION)

    @cached_property
    def coordinating(self) -> tuple[StepRecord, ...]:
        """Everything that is no task: integrations, planning, checks."""
        return tuple(step for step in self.latest if step.kind is not StepKind.TASK)

    @cached_property
    def agents(self) -> int:
        """Agents that did something."""
        return len({step.node for step in self.tasks})

    @cached_property
    def task_tokens(self) -> tuple[int, ...]:
        """Tokens of each task, of those that are known; of several rounds or replicas those of the largest."""
        known: dict[str, int] = {}
        for step in self.state.steps:
            if step.kind is StepKind.TASK and step.handoff.usage.tokens is not None:
                task = step.handoff.task_id
                known[task] = max(known.get(task, 0), step.handoff.usage.tokens)
        return tuple(known.values())

    @cached_property
    def coordination_share(self) -> float | None:
        """What coordinating took of all that was used, in tokens where both sides report any, else in seconds (M1).

        What was done again counts as work here, and waiting as neither: both have causes of their own.
        """
        own, work = self.view.account.of(*_COORDINATING), self.view.account.of(CostKind.WORK, CostKind.REWORK)
        if own.tokens is not None and work.tokens is not None:
            return share_of(own.tokens, own.tokens + work.tokens)
        return share_of(own.seconds, own.seconds + work.seconds) if work.seconds else None

    @cached_property
    def context_tokens(self) -> int:
        """Tokens that an agent can hold at once."""
        return self.plan.priors.context_tokens

    @cached_property
    def levels(self) -> int:
        """Coordinating levels above those who had something to do."""
        paths = (self.plan.path(step.node) for step in self.tasks if step.node in self.plan.nodes)
        return max((len(path) - 1 for path in paths), default=0)

    @cached_property
    def bound(self) -> RunBound:
        """Where the time of its longest chain went."""
        return bound_of(self.state)

    @cached_property
    def domain_of(self) -> Mapping[str, str]:
        """The domain of each task, the first part of its label; empty where it has none."""
        return {task.id: (task.domain or "").partition(".")[0] for task in self.plan.tasks}

    @cached_property
    def step_of(self) -> Mapping[str, StepRecord]:
        """What counts of each task and integration, by what it is recorded as."""
        return {step.handoff.task_id: step for step in self.latest}

    @cached_property
    def uses(self) -> tuple[tuple[str, str], ...]:
        """Which step used the output of which, by what they are recorded as: user, used; each pair once."""
        read = ((one.task_id, one.read.task_id) for one in self.state.reads)
        named = ((step.handoff.task_id, used.task_id) for step in self.latest for used in step.handoff.dependencies)
        return tuple(dict.fromkeys((*read, *named)))

    @cached_property
    def used_by(self) -> Mapping[str, frozenset[str]]:
        """What each step used, by what it is recorded as."""
        found: dict[str, set[str]] = defaultdict(set)
        for user, used in self.uses:
            found[user].add(used)
        return {user: frozenset(several) for user, several in found.items()}

    @cached_property
    def reports(self) -> Mapping[str, tuple[str, ...]]:
        """Who reports directly to each coordinator, of those that had something to do."""
        active = {step.node for step in self.tasks}
        above = {node for one in active if one in self.plan.nodes for node in self.plan.path(one)}
        found: dict[str, list[str]] = defaultdict(list)
        for node in self.plan.tree:
            if node.id in above and node.parent is not None:
                found[node.parent].append(node.id)
        return {node: tuple(several) for node, several in found.items()}

    @staticmethod
    def seconds_of(step: StepRecord) -> float:
        """Return how long a step took, attempts in vain included."""
        return max(0.0, (step.finished - step.started).total_seconds())

    @cached_property
    def work_seconds(self) -> float:
        """Sum of the time of all tasks."""
        return sum(map(self.seconds_of, self.tasks))

    @cached_property
    def makespan(self) -> float:
        """From the first step to the last, without pauses; 0 where nothing was done."""
        return self.measures.makespan_seconds or 0.0

    def is_agent(self, node: str) -> bool:
        """Say whether a node does tasks."""
        known = self.plan.nodes.get(node)
        return known is not None and known.kind is NodeKind.AGENT

    def first_rows(self, rows: Iterable[str]) -> tuple[str, ...]:
        """Return the first of what something was seen in, each once."""
        return tuple(dict.fromkeys(rows))[:MAX_ROWS]

    def errors(self) -> Iterator[tuple[StepRecord, str]]:
        """Yield the steps that ended without output, with the kind of error."""
        for step in self.latest:
            if step.handoff.error is not None:
                yield step, step.handoff.error.kind


def item_of(task_id: str) -> str:
    """Return the item that a task is about: what is behind its phase."""
    return task_id.partition("/")[2] or task_id


def share_of(part: float, whole: float) -> float:
    """Return a part as a share of a whole; 0 where there is nothing."""
    return part / whole if whole else 0.0


def counts_said(several: Mapping[str, Sequence[object]]) -> tuple[str, ...]:
    """Say how many of each kind there are, of the kinds that there are any of; kinds are named in the plural."""
    return tuple(f"{len(found)} {what}" for what, found in several.items() if found)
