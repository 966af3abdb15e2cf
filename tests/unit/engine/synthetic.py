"""Logs of runs that never were: what a run of so many agents in so many domains would have put on record."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from echelon import Handoffs, Job, agent, integrator
from echelon.model.handoff import ErrorReport, Handoff, OutputReference, UsedDependency
from echelon.model.integration import integration_id
from echelon.model.plan import Node, NodeKind, Plan
from echelon.model.run import RunRecord, RunStatus, StepKind, StepRecord
from echelon.model.status import Status
from echelon.runlog.events import (
    LoggedEvent,
    PhaseEnded,
    PhaseStarted,
    RunEnded,
    RunEvent,
    RunStarted,
    RunTaken,
    StepEnded,
    StepStarted,
)

RUN_ID = "crowd-1"
PHASE = "greet"
BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Crowd(BaseModel):
    """So many people in each of so many domains."""

    domains: int = 2
    each: int = 9


def people(domains: int, each: int) -> list[str]:
    return [f"d{domain}-{n}" for domain in range(domains) for n in range(each)]


@agent
async def greet(item: str) -> str:
    """Greet somebody."""
    return item


@integrator
async def count(greeted: Handoffs[str]) -> int:
    """Count who was greeted."""
    return len(greeted)


@count.combine
async def add(counted: Handoffs[int]) -> int:
    """Add up who was counted."""
    return sum(counted.outputs())


def crowd() -> Job:
    job = Job("crowd", goal="Greet everybody", inputs=Crowd)
    job.phase(PHASE, each=greet, over=people, domain=lambda item: item.partition("-")[0], integrate=add)
    return job


def plan_of(domains: int, each: int) -> Plan:
    return crowd().plan(domains=domains, each=each)


def after(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


class Writer:
    """Makes the events of a run one behind the other, at times that it is told."""

    def __init__(self, plan: Plan, run_id: str = RUN_ID, began: datetime = BEGAN) -> None:
        self.plan = plan
        self.run_id = run_id
        self.began = began

    def at(self, seconds: float) -> datetime:
        return self.began + timedelta(seconds=seconds)

    def start(self, flow_run_id: str | None = None, **inputs: Any) -> list[RunEvent]:
        record = RunRecord(
            run_id=self.run_id,
            job=self.plan.job,
            source="crowd.py:crowd",
            inputs=inputs,
            status=RunStatus.RUNNING,
            started=self.began,
            plan=self.plan,
            flow_run_id=flow_run_id,
        )
        return [RunStarted(run_id=self.run_id, at=self.began, record=record), self.taken(0.0)]

    def taken(self, seconds: float, token: int = 1, idle_since: float | None = None) -> RunTaken:
        idle = None if idle_since is None else self.at(idle_since)
        at = self.at(seconds)
        return RunTaken(run_id=self.run_id, at=at, token=token, host="here", pid=1, idle_since=idle)

    def phase_started(self, seconds: float = 0.0) -> PhaseStarted:
        expected = len(self.plan.phases[0].tasks)
        return PhaseStarted(run_id=self.run_id, at=self.at(seconds), phase=PHASE, expected=expected)

    def phase_ended(self, seconds: float) -> PhaseEnded:
        return PhaseEnded(run_id=self.run_id, at=self.at(seconds), phase=PHASE)

    def begin(self, task_id: str, seconds: float, *, again: int = 0) -> StepStarted:
        return StepStarted(
            run_id=self.run_id,
            at=self.at(seconds),
            key=f"{task_id}#{again}",
            task_id=task_id,
            phase=PHASE,
            node=self.node_of(task_id),
            step=kind_of(task_id),
        )

    def end(
        self, task_id: str, began: float, seconds: float, *, error: str = "", used: Sequence[str] = (), again: int = 0
    ) -> StepEnded:
        handoff = self.handoff(task_id, error=error, used=used)
        record = StepRecord(
            run_id=self.run_id,
            key=f"{task_id}#{again}",
            phase=PHASE,
            node=self.node_of(task_id),
            kind=kind_of(task_id),
            started=self.at(began),
            finished=self.at(seconds),
            handoff=handoff,
        )
        return StepEnded(run_id=self.run_id, at=record.finished, record=record)

    def handoff(self, task_id: str, *, error: str = "", used: Sequence[str] = ()) -> Handoff:
        there = OutputReference(location=f"out/{task_id}", sha256="0" * 64, size_bytes=2, contract="str")
        report = ErrorReport(kind="AgentFailed", message=error, can_pass=False) if error else None
        return Handoff(
            task_id=task_id,
            status=Status.FAILED if error else Status.COMPLETED,
            summary=f"{task_id} failed" if error else f"{task_id} is done",
            output_location=None if error else there,
            dependencies=tuple(UsedDependency(task_id=task, version="0" * 64) for task in used),
            producer=self.node_of(task_id),
            assignment_id=f"{task_id}#1",
            error=report,
        )

    def ended(self, seconds: float, status: RunStatus = RunStatus.COMPLETED, report: str | None = None) -> RunEnded:
        at = self.at(seconds)
        return RunEnded(run_id=self.run_id, at=at, status=status, finished=at, report=report)

    def node_of(self, task_id: str) -> str:
        return task_id.split("/", 2)[2] if kind_of(task_id) is StepKind.INTEGRATION else self.plan.agent_of[task_id]

    def whole(self, **inputs: Any) -> list[RunEvent]:
        """Make a run in which everybody works for a second, all at once, and then every coordinator integrates."""
        tasks = self.plan.phases[0].tasks
        events = [*self.start(**inputs), self.phase_started(0.0)]
        events += [self.begin(task, 0.1) for task in tasks]
        events += [self.end(task, 0.1, 1.1) for task in tasks]
        seconds = 1.2
        for coordinator in reversed([node for node in self.plan.tree if node.kind is not NodeKind.AGENT]):
            verb = "merge" if self._has_agents(coordinator) else "combine"
            task_id = integration_id(PHASE, verb, coordinator.id)
            used = list(self._received(coordinator))
            events += [self.begin(task_id, seconds), self.end(task_id, seconds, seconds + 0.1, used=used)]
            seconds += 0.1
        return [*events, self.phase_ended(seconds), self.ended(seconds + 0.1)]

    def _has_agents(self, node: Node) -> bool:
        return any(self.plan.nodes[member].kind is NodeKind.AGENT for member in node.members)

    def _received(self, node: Node) -> Iterator[str]:
        for member in [self.plan.nodes[each] for each in node.members]:
            if member.kind is NodeKind.AGENT:
                yield from member.members
            else:
                yield integration_id(PHASE, "merge" if self._has_agents(member) else "combine", member.id)


def kind_of(task_id: str) -> StepKind:
    return StepKind.INTEGRATION if task_id.split("/")[1] in ("merge", "combine") else StepKind.TASK


def logged(events: Sequence[RunEvent], first: int = 1) -> list[LoggedEvent]:
    return [LoggedEvent(seq=first + n, event=event) for n, event in enumerate(events)]
