"""From the log of a run to Prefect's picture of it: events go in, what is to be drawn comes out. Pure.

The job is a flow run. Each domain, a node right below the primary, is a flow run inside it, one a phase. Up to 200
agents each agent and each integration is a task run; above, each team is (R4). Whatever the events are cut into, the
picture that is drawn in the end is the same, with the times of the events.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from echelon.engine.picture.alerts import PictureAlerts
from echelon.engine.picture.lines import LineBound, asked_line, raised_line
from echelon.engine.picture.parts import STOPPED, Part, StepPart
from echelon.engine.picture.request import Granularity
from echelon.engine.picture.scene import PartKey, Scene
from echelon.engine.picture.strokes import (
    JOB,
    DrawnState,
    DrawTaskRun,
    EnterState,
    OpenFlowRun,
    ShowReport,
    StateKind,
    Strokes,
    id_of,
)
from echelon.model.run import RunStatus, StepKind
from echelon.runlog import events as happened
from echelon.runlog.events import LoggedEvent, RunEvent
from echelon.runlog.state import RunState, StepName
from echelon.runlog.view import view_of

#: What is said of a run whose process ended without a word.
DIED = "its process died; resume it"

#: Events that are kept before they are folded: folding copies what it goes on from.
MAX_UNFOLDED = 1_000

#: What a run ends as in Prefect.
_KINDS: dict[RunStatus, StateKind] = {
    RunStatus.COMPLETED: StateKind.COMPLETED,
    RunStatus.PARTIAL: StateKind.COMPLETED,
    RunStatus.WAITING: StateKind.COMPLETED,
    RunStatus.FAILED: StateKind.FAILED,
    RunStatus.INTERRUPTED: StateKind.CRASHED,
}

#: What is no failure, but not all there is either: a state of its own name in Prefect.
_NAMED = (RunStatus.PARTIAL, RunStatus.WAITING)


class Picture:
    """The picture of one run as far as its log is known."""

    def __init__(self, run_id: str, granularity: Granularity | None = None, *, owns_flow_run: bool = True) -> None:
        self.run_id = run_id
        self._owns_flow_run = owns_flow_run
        self._scene = Scene(granularity)
        self._state = RunState()
        self._unfolded: list[RunEvent] = []
        self._drawn: dict[str, DrawnState] = {}
        self._strokes = Strokes()
        self._bound = LineBound()
        self._alerts = PictureAlerts(run_id)
        self.is_over = False
        """Has the work on the run ended, for good or until it is resumed?"""
        self.last_at: datetime | None = None
        """When the last event happened."""

    def draw(self, entries: Sequence[LoggedEvent], until: datetime) -> Strokes:
        """Take events in, and return what is to be drawn; `until` is a time at which all events before it are known."""
        for entry in entries:
            event = entry.event
            self.last_at = event.at
            self._unfolded.append(event)
            self._scene.apply(event)
            draw = _DRAW.get(type(event))
            if draw is not None:
                draw(self, event)
        if len(self._unfolded) > MAX_UNFOLDED:
            self._fold()
        return self._take_strokes(until)

    def abandon(self, at: datetime) -> Strokes:
        """Return what is to be drawn of a run whose process died without a word; `at` is when it was last heard of."""
        self._scene.cut(at)
        self._enter_job(DrawnState(kind=StateKind.CRASHED, at=at, message=DIED))
        self.is_over = True
        return self._take_strokes(at)

    def run_started(self, event: happened.RunStarted) -> None:
        """Open the flow run of the job."""
        record = event.record
        self._alerts.begin(record)
        if not self._owns_flow_run:
            return
        self._drawn[JOB] = state = DrawnState(kind=StateKind.RUNNING, at=record.started)
        self._strokes.opened.append(
            OpenFlowRun(
                key=JOB,
                idempotency_key=self.run_id,
                title=self.run_id,
                flow=record.job,
                parameters=record.inputs,
                state=state,
                adopt=record.flow_run_id or "",
            )
        )

    def run_reopened(self, event: happened.RunReopened) -> None:
        """Set the job to work again."""
        self.is_over = False
        self._enter_job(DrawnState(kind=StateKind.RUNNING, at=event.at))

    def run_ended(self, event: happened.RunEnded) -> None:
        """End everything, and show the report."""
        self._scene.cut(event.at)
        self.is_over = True
        self._fold()
        record = self._state.record
        if record is None:
            return
        name = event.status.value.capitalize() if event.status in _NAMED else ""
        kind = _KINDS.get(event.status, StateKind.FAILED)
        self._enter_job(DrawnState(kind=kind, at=event.at, message=self._message(event.status), name=name))
        if event.report:
            self._strokes.reports.append(
                ShowReport(folder=Path(event.report), job=record.job, since=record.started, ended=event.at)
            )

    def logged(self, event: happened.Logged) -> None:
        """Write a line, to the step or to the team that stands for it."""
        self._strokes.lines += self._bound.lines_of(self.run_id, event, *self._place_of(event.key))

    def model_asked(self, event: happened.ModelAsked) -> None:
        """Say in the log of a step that its model was asked, and what shows the conversation (V2)."""
        self._strokes.lines += self._bound.lines_of(
            self.run_id, asked_line(event), *self._place_of(event.conversation.key)
        )

    def raised(self, event: happened.ConcernRaised | happened.BlockedReported) -> None:
        """Say in the log of a step what its agent raised, or waits for (X15); what a person raises is no part of it."""
        key = event.record.step if isinstance(event, happened.ConcernRaised) else event.key
        name, _ = self._scene.whereabouts(key)
        if name is not None:
            line = raised_line(event, name.task_id)
            self._strokes.lines += self._bound.lines_of(self.run_id, line, *self._place_of(key), raised=True)

    def plan_extended(self, event: happened.PlanExtended) -> None:
        """Go by a plan that has grown."""
        self._alerts.follow(event.plan)

    def pushed(self, event: happened.ExceptionPushed) -> None:
        """Make an event for automations of what was pushed, and a line of the log of the run (V1)."""
        self._strokes.events += self._alerts.events_of(event.report)
        self._strokes.lines += self._alerts.lines_of(event.report)

    def _place_of(self, key: str) -> tuple[str, UUID | None]:
        """Return the flow run and the task run that show a step."""
        name, spot = self._scene.whereabouts(key)
        phase, task = name.phase if name else "", ""
        if name and (spot.own or spot.team):
            task = _task_key(name) if spot.own else _part_key((phase, spot.team))
        return _flow_key(phase, spot.domain), id_of(self.run_id, task) if task else None

    def _enter_job(self, state: DrawnState) -> None:
        if JOB in self._drawn:
            self._drawn[JOB] = state
            self._strokes.entered.append(EnterState(key=JOB, state=state))

    def _fold(self) -> None:
        self._state, self._unfolded = self._state.apply(*self._unfolded), []

    def _message(self, status: RunStatus) -> str:
        if status is RunStatus.COMPLETED:
            return f"run {self.run_id}"
        if status is RunStatus.INTERRUPTED:
            return STOPPED
        missing = view_of(self._state, lambda _: None).missing
        first = f"{missing[0].task_id}: {missing[0].reason}" if missing else ""
        return f"run {self.run_id}: {len(missing)} missing, the first: {first}"

    def _take_strokes(self, until: datetime) -> Strokes:
        """Return everything that changed since this was last asked. The states of the job come behind all others."""
        scene, strokes, self._strokes = self._scene, self._strokes, Strokes()
        states_of_job, strokes.entered = strokes.entered, []
        for step in [scene.steps[name] for name in scene.touched_steps]:
            state = step.state()
            if step.spot.own and self._is_news(_task_key(step.name), state):
                strokes.tasks.append(self._step_drawn(step, state))
        for key in list(scene.touched_parts):
            part = scene.parts[key]
            state = part.look(until)
            if not part.may_end:
                del scene.touched_parts[key]
            before = self._drawn.get(_part_key(key))
            if self._is_news(_part_key(key), state):
                self._draw_part(part, state, before, strokes)
        scene.touched_steps.clear()
        strokes.entered += states_of_job
        return strokes

    def _is_news(self, key: str, state: DrawnState) -> bool:
        if self._drawn.get(key) == state:
            return False
        self._drawn[key] = state
        return True

    def _step_drawn(self, step: StepPart, state: DrawnState) -> DrawTaskRun:
        name, key = step.name, _task_key(step.name)
        return DrawTaskRun(
            id=id_of(self.run_id, key),
            flow_key=_flow_key(name.phase, step.spot.domain),
            task=_TASKS[name.kind],
            dynamic_key=key,
            title=name.task_id if name.kind in _NAMED_BY_TASK else f"{_TASKS[name.kind]} {step.node} · {name.phase}",
            started=step.started,
            state=state,
            attempts=step.attempts,
        )

    def _draw_part(self, part: Part, state: DrawnState, before: DrawnState | None, strokes: Strokes) -> None:
        key = _part_key((part.phase, part.node))
        if not part.is_domain:
            strokes.tasks.append(self._team_drawn(part, key, state))
            return
        begun = DrawnState(kind=StateKind.RUNNING, at=part.since)
        if before is None:
            strokes.opened.append(self._domain_opened(part, key, begun))
        elif before.ended and state.ended:
            # Prefect keeps the time of the first end, unless the flow run is at work again in between.
            again = DrawnState(kind=StateKind.RUNNING, at=max(part.since, before.at))
            strokes.entered.append(EnterState(key=key, state=again))
        if before is not None or state != begun:
            strokes.entered.append(EnterState(key=key, state=state))

    def _team_drawn(self, part: Part, key: str, state: DrawnState) -> DrawTaskRun:
        return DrawTaskRun(
            id=id_of(self.run_id, key),
            flow_key=_flow_key(part.phase, part.domain),
            task="team",
            dynamic_key=key,
            title=f"{part.node} · {part.phase}",
            started=part.since,
            state=state,
        )

    def _domain_opened(self, part: Part, key: str, begun: DrawnState) -> OpenFlowRun:
        return OpenFlowRun(
            key=key,
            idempotency_key=f"{self.run_id}/{key}",
            title=f"{part.node} · {part.phase}",
            flow="domain",
            parameters={"domain": part.node, "phase": part.phase, "agents": len(part.planned)},
            state=begun,
            parent_task=id_of(self.run_id, key),
        )


_DRAW: dict[type[happened.Event], Callable[[Picture, Any], None]] = {
    happened.RunStarted: Picture.run_started,
    happened.RunReopened: Picture.run_reopened,
    happened.RunEnded: Picture.run_ended,
    happened.Logged: Picture.logged,
    happened.ModelAsked: Picture.model_asked,
    happened.ConcernRaised: Picture.raised,
    happened.BlockedReported: Picture.raised,
    happened.PlanExtended: Picture.plan_extended,
    happened.ExceptionPushed: Picture.pushed,
}
"""Kind → what is drawn of it at once; the rest follows from what the scene looks like."""


#: Name of the task in Prefect that a step is a run of.
_NAMED_BY_TASK = (StepKind.TASK, StepKind.CHECK)
_TASKS = {StepKind.TASK: "agent", StepKind.INTEGRATION: "integrate", StepKind.PLANNING: "plan", StepKind.CHECK: "check"}


def _task_key(name: StepName) -> str:
    return f"{name.kind.value}/{name.phase}/{name.task_id}"


def _part_key(key: PartKey) -> str:
    return f"part/{key[0]}/{key[1]}"


def _flow_key(phase: str, domain: str) -> str:
    return _part_key((phase, domain)) if domain else JOB
