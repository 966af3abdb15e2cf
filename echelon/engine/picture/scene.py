"""What of a run can be seen: its steps, and the parts of its phases, as far as the log is known. Pure."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from echelon.engine.picture.parts import Part, StepPart
from echelon.engine.picture.placing import Spot, granularity_for, planned_parts, spot_of
from echelon.engine.picture.request import Granularity
from echelon.model.plan import Plan
from echelon.model.run import StepKind
from echelon.runlog import events as happened
from echelon.runlog.draft import step_name
from echelon.runlog.events import RunEvent
from echelon.runlog.standing import StepName

PartKey = tuple[str, str]
"""Phase and node of a part."""


class Scene:
    """The steps and parts of one run. What changed since it was last looked at is noted as touched."""

    def __init__(self, granularity: Granularity | None) -> None:
        self._wanted: Granularity | None = granularity
        self._granularity: Granularity = "agent"
        #: Of phases that were planned on the way: by the size that the run had then.
        self._grown: dict[str, Granularity] = {}
        self._plan: Plan | None = None
        self._planned: Mapping[PartKey, frozenset[str]] = {}
        self._by_key: dict[str, tuple[StepName, Spot]] = {}
        self.steps: dict[StepName, StepPart] = {}
        """The last try of each step."""
        self.parts: dict[PartKey, Part] = {}
        """Domains and teams at work in a phase, or that were."""
        self.touched_steps: dict[StepName, None] = {}
        """Steps that changed, in that order."""
        self.touched_parts: dict[PartKey, None] = {}
        """Parts that changed, or may be done by now."""

    def apply(self, event: RunEvent) -> None:
        """Take an event in; most kinds change nothing that can be seen."""
        change = _APPLY.get(type(event))
        if change is not None:
            change(self, event)

    def whereabouts(self, key: str) -> tuple[StepName | None, Spot]:
        """Return which step has a key, and where it is shown; None for one that is not known."""
        return self._by_key.get(key, (None, Spot("", "", own=False)))

    def cut(self, at: datetime) -> None:
        """Take note that everybody at work was stopped."""
        for name, step in self.steps.items():
            if step.record is None and step.cut_at is None:
                step.cut_at = at
                self.touched_steps[name] = None
        for key, part in self.parts.items():
            part.cut(at)
            self.touched_parts[key] = None

    def run_started(self, event: happened.RunStarted) -> None:
        """Take the first plan, whose size decides how finely its phases are shown for good."""
        if event.record.plan is not None:
            self._granularity = granularity_for(event.record.plan, self._wanted)
            self._take_plan(event.record.plan)

    def run_taken(self, event: happened.RunTaken) -> None:
        """Cut off what the process before was at work on."""
        self.cut(event.idle_since or event.at)

    def plan_extended(self, event: happened.PlanExtended) -> None:
        """Take the plan as it is now; its size decides how finely the phase is shown that was planned (R4)."""
        if event.phase:
            self._grown[event.phase] = granularity_for(event.plan, self._wanted)
        self._take_plan(event.plan)

    def phase_started(self, event: happened.PhaseStarted) -> None:
        """Open the parts of a phase again that another process ended."""
        self._set_over(event.phase, over=False)

    def phase_ended(self, event: happened.PhaseEnded) -> None:
        """End the parts of a phase."""
        self._set_over(event.phase, over=True)

    def step_started(self, event: happened.StepStarted) -> None:
        """Set somebody to work."""
        if event.replica > 1:
            return
        name, spot = StepName(event.step, event.phase, event.task_id), self._spot(event.phase, event.node, event.step)
        self._by_key[event.key] = name, spot
        self._see(StepPart(name=name, node=event.node, spot=spot, started=event.at))
        for part in self._parts_of(name, spot, event.at):
            part.begin(name, event.at)

    def step_ended(self, event: happened.StepEnded) -> None:
        """End a step, which may not have begun."""
        record = event.record
        if record.replica:
            return  # a task is one agent in the picture, however many do it (F9)
        name, spot = step_name(record), self._spot(record.phase, record.node, record.kind)
        self._by_key.setdefault(record.key, (name, spot))
        before = self.steps.get(name)
        goes_on = before is not None and (before.record is None or record.handoff.fallback is not None)
        started = before.started if before is not None and goes_on else record.started
        self._see(StepPart(name=name, node=record.node, spot=spot, started=started, record=record))
        for part in self._parts_of(name, spot, record.started):
            part.end(record)

    def _see(self, step: StepPart) -> None:
        self.steps[step.name] = step
        self.touched_steps[step.name] = None

    def _take_plan(self, plan: Plan) -> None:
        self._plan = plan
        self._planned = planned_parts(plan, self._granularity_of)
        for key, part in self.parts.items():
            part.planned = self._planned.get(key, frozenset())

    def _granularity_of(self, phase: str) -> Granularity:
        return self._grown.get(phase, self._granularity)

    def _spot(self, phase: str, node: str, kind: StepKind) -> Spot:
        return spot_of(self._plan, self._granularity_of(phase), node, kind) if self._plan else Spot("", "", own=True)

    def _parts_of(self, name: StepName, spot: Spot, at: datetime) -> Iterator[Part]:
        for node in filter(None, (spot.domain, spot.team)):
            key = name.phase, node
            if key not in self.parts:
                planned = self._planned.get(key, frozenset())
                self.parts[key] = Part(phase=name.phase, node=node, domain=spot.domain, since=at, planned=planned)
            self.touched_parts[key] = None
            yield self.parts[key]

    def _set_over(self, phase: str, *, over: bool) -> None:
        for key, part in self.parts.items():
            if part.phase == phase:
                part.over = over
                self.touched_parts[key] = None


_APPLY: dict[type[happened.Event], Callable[[Scene, Any], None]] = {
    happened.RunStarted: Scene.run_started,
    happened.RunTaken: Scene.run_taken,
    happened.PlanExtended: Scene.plan_extended,
    happened.PhaseStarted: Scene.phase_started,
    happened.PhaseEnded: Scene.phase_ended,
    happened.StepStarted: Scene.step_started,
    happened.StepEnded: Scene.step_ended,
}
"""Kind → what it changes."""
