"""What bound a run: the chain of steps and waits that its end waited for, walked back from there. Pure.

The last step to end is the end of the chain. Before it lies what it waited for: its own wait for a limit or a person,
then whatever ended last of what it needed. This is the critical path of what happened, not of the plan: a limit that
let only one agent work at a time is on it, and work that was slow beside it is not.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from operator import attrgetter

from echelon.model.diagnosis.bound import BoundBy, ChainLink, RunBound
from echelon.model.integration import task_checked
from echelon.model.oversight.gate import GateRecord
from echelon.model.run import StepKind, StepRecord
from echelon.model.session import seconds_without
from echelon.planning.schedule.phase_graph import needs_of_phases
from echelon.runlog.events import AttemptFailed, Waited
from echelon.runlog.state import RunState

#: Steps that begin so soon after another one ended are begun because of it: clocks of processes differ a little.
CLOCKS = timedelta(milliseconds=2)


def bound_of(state: RunState) -> RunBound:
    """Return what a run was bound by, as far as its log goes; nothing where no step has ended."""
    return RunBound(links=tuple(_Chain(state).links()))


class _Chain:
    """The longest chain of a run."""

    def __init__(self, state: RunState) -> None:
        self._pauses = state.pauses
        kept = (step for step in state.steps if not step.handoff.kept_from)
        self._steps = sorted(kept, key=attrgetter("finished", "started"))
        self._ends = [step.finished for step in self._steps]
        #: The chain goes back in this order only, so that it ends.
        self._place = {id(step): place for place, step in enumerate(self._steps)}
        self._of: dict[str, list[StepRecord]] = defaultdict(list)
        for step in self._steps:
            self._of[step.handoff.task_id].append(step)
        self._waits: dict[str, list[Waited]] = defaultdict(list)
        for wait in state.waits:
            self._waits[wait.key].append(wait)
        self._failed: dict[str, list[AttemptFailed]] = defaultdict(list)
        for one in state.failed_attempts:
            self._failed[one.key].append(one)
        self._gates: dict[str, list[GateRecord]] = defaultdict(list)
        for gate in state.gates.values():
            self._gates[gate.action.task_id].append(gate)
        self._needs = needs_of_phases(state.plan.phases) if state.plan else {}
        self._phases: dict[str, list[StepRecord]] = defaultdict(list)
        for step in self._steps:
            self._phases[step.phase].append(step)

    def links(self) -> Sequence[ChainLink]:
        """Return the chain, in the order of time."""
        found: list[ChainLink] = []
        step = self._steps[-1] if self._steps else None
        while step is not None:
            found += reversed(list(self._within(step)))
            before = self._before(step)
            found += reversed(list(self._between(before, step)))
            step = before
        return [link for link in reversed(found) if link.seconds > 0]

    def _within(self, step: StepRecord) -> Iterator[ChainLink]:
        """Yield what a step spent its own time on."""
        took = seconds_without(step.started, step.finished, self._pauses)
        name, phase = step.handoff.task_id, step.phase
        own = [one for one in self._failed[step.key] if step.started <= one.at <= step.finished]
        # The pauses between attempts belong to what failed; the last attempt is what it came to.
        again = seconds_without(step.started, own[-1].at, self._pauses) if own else 0.0
        waited = [one for one in self._waits[step.key] if one.at > step.started]
        limited = min(took - again, sum(wait.seconds for wait in waited if not own or wait.at > own[-1].at))
        if again:
            yield ChainLink(bound=BoundBy.RETRIES, name=name, phase=phase, seconds=again)
        if limited:
            yield ChainLink(bound=BoundBy.LIMIT, name=waited[-1].limiter, phase=phase, seconds=limited)
        kind = BoundBy.WORK if step.kind is StepKind.TASK else BoundBy.COORDINATOR
        yield ChainLink(bound=kind, name=name, phase=phase, seconds=max(0.0, took - again - limited))

    def _between(self, before: StepRecord | None, step: StepRecord) -> Iterator[ChainLink]:
        """Yield what was waited for from the end of one step of the chain to the beginning of the next."""
        since = before.finished if before is not None else self._arrived(step)
        if since >= step.started:
            return
        for gate in self._gates[step.handoff.task_id]:
            until = min(step.started, gate.decision.at if gate.decision else step.started)
            if (asked := max(gate.at, since)) < until:
                yield self._link(BoundBy.ENGINE, step, since, asked)
                # A run whose process has ended meanwhile waits all the same: the pauses count here.
                yield ChainLink(
                    bound=BoundBy.PERSON,
                    name=step.handoff.task_id,
                    phase=step.phase,
                    seconds=(until - asked).total_seconds(),
                )
                since = until
        for wait in self._waits[step.key]:
            until = min(step.started, wait.at)
            if (asked := max(since, wait.at - timedelta(seconds=wait.seconds))) < until:
                yield self._link(BoundBy.ENGINE, step, since, asked)
                yield self._link(BoundBy.LIMIT, step, asked, until, name=wait.limiter)
                since = until
        yield self._link(BoundBy.ENGINE, step, since, step.started)

    def _link(self, bound: BoundBy, step: StepRecord, since: datetime, until: datetime, *, name: str = "") -> ChainLink:
        seconds = seconds_without(since, until, self._pauses)
        return ChainLink(bound=bound, name=name or step.handoff.task_id, phase=step.phase, seconds=seconds)

    def _before(self, step: StepRecord) -> StepRecord | None:
        """Return what ended last of what a step waited for; what is not known to be needed, where nothing else is."""
        moment, own = self._arrived(step) + CLOCKS, self._place[id(step)]
        places = (self._place[id(one)] for one in self._needed(step) if one.finished <= moment)
        needed = max((place for place in places if place < own), default=None)
        place = min(own, bisect_right(self._ends, moment)) - 1 if needed is None else needed
        return self._steps[place] if place >= 0 else None

    def _arrived(self, step: StepRecord) -> datetime:
        """Return when a step was ready to begin, as far as its waits and gates say."""
        waits = (wait.at - timedelta(seconds=wait.seconds) for wait in self._waits[step.key])
        gates = (gate.at for gate in self._gates[step.handoff.task_id])
        return min([step.started, *waits, *gates])

    def _needed(self, step: StepRecord) -> Iterable[StepRecord]:
        """Yield the steps that a step could not begin without, as far as that is on record."""
        name = step.handoff.task_id
        for used in step.handoff.dependencies:
            yield from self._of.get(used.task_id, ())
        checked = task_checked(name)
        if checked != name:
            yield from self._of.get(checked, ())
        if step.kind is StepKind.INTEGRATION:
            yield from self._phases[step.phase]
        for phase in self._needs.get(step.phase, ()):
            yield from self._phases[phase]
        yield from (one for one in self._of[name] if one.round < step.round)
