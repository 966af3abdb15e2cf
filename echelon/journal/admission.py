"""The laws of the log: which events may be written behind what is on record. Pure, and the same for every adapter.

A unit is admitted as a whole or refused as a whole, with the reason. What a law must know is in `Known`; an adapter
fills it with what is on record about the runs, steps and concerns of the units at hand, and asks for one after the
other: each sees what was admitted before it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from echelon.model.concern import ConcernRecord
from echelon.model.errors import EchelonError, IllegalTransition, InvalidInput, JournalError
from echelon.model.oversight.disposing import why_not_disposed, why_not_reopened
from echelon.model.oversight.gate import GateRecord
from echelon.model.status import Status, advance
from echelon.runlog.events import (
    ConcernDisposed,
    ConcernRaised,
    ConcernReopened,
    EffectIntended,
    Event,
    RunEvent,
    RunStarted,
    StepEnded,
)
from echelon.runlog.gate_events import (
    ApprovalReturned,
    ApprovalUsed,
    GateAnswered,
    GateClosed,
    GateEvent,
    GateExtended,
    GateRaised,
)
from echelon.runlog.gates import apply_to_gate, why_not_usable

#: Why something is not written.
Rejection = EchelonError

StepKey = tuple[str, str]
"""A step within the journal: its run and its key."""


@dataclass(frozen=True)
class Known:
    """What is on record, as far as the laws ask for it."""

    runs: set[str] = field(default_factory=set[str])
    """Runs that there are."""
    steps: dict[StepKey, Status] = field(default_factory=dict[StepKey, Status])
    """How the last attempt at each step ended."""
    concerns: dict[str, ConcernRecord] = field(default_factory=dict[str, ConcernRecord])
    """Concerns as they are by now, by id."""
    gates: dict[str, GateRecord] = field(default_factory=dict[str, GateRecord])
    """Gates, by id."""


class _Draft:
    """What will be known when a unit is admitted: nothing of it is kept when it is not."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.runs: set[str] = set()
        self.steps: dict[StepKey, Status] = {}
        self.concerns: dict[str, ConcernRecord] = {}
        self.gates: dict[str, GateRecord] = {}
        self.approved: set[str] = set()
        """Keys of the steps whose approval is used up in this unit."""

    def keep(self) -> None:
        self.known.runs.update(self.runs)
        self.known.steps.update(self.steps)
        self.known.concerns.update(self.concerns)
        self.known.gates.update(self.gates)


def admit(run_id: str, events: Sequence[RunEvent], known: Known) -> Rejection | None:
    """Return why a unit of events of one run is refused; None when it is admitted: then `known` knows of it."""
    if run_id not in known.runs and not isinstance(events[0], RunStarted):
        return unknown("run", run_id, "echelon runs")
    draft: _Draft | None = None
    for event in events:
        if event.run_id != run_id:
            return InvalidInput(f"events of runs {run_id!r} and {event.run_id!r} cannot be written as one unit")
        law = _LAWS.get(type(event))
        if law is None:
            continue
        draft = draft or _Draft(known)
        if (rejection := law(draft, event)) is not None:
            return rejection
    if draft is not None:
        draft.keep()
    return None


#: Kinds of which a law asks for a concern.
_OF_CONCERNS = (ConcernRaised, ConcernDisposed, ConcernReopened)


def asked_steps(events: Iterable[RunEvent]) -> set[StepKey]:
    """Return the steps that the laws ask for."""
    return {(event.run_id, event.record.key) for event in events if type(event) is StepEnded}


def asked_concerns(events: Iterable[RunEvent]) -> set[str]:
    """Return the ids of the concerns that the laws ask for."""
    return {event.subject for event in events if type(event) in _OF_CONCERNS}


def asked_gates(events: Iterable[RunEvent]) -> set[str]:
    """Return the ids of the gates that the laws ask for."""
    return {event.subject for event in events if isinstance(event, GateEvent) or type(event) is GateRaised}


def _start_run(draft: _Draft, event: RunStarted) -> Rejection | None:
    if event.run_id in draft.known.runs or event.run_id in draft.runs:
        return JournalError(f"cannot start run {event.run_id!r}: something with this id is in the journal already")
    draft.runs.add(event.run_id)
    return _of_its_run(draft, event)


def _end_step(draft: _Draft, event: StepEnded) -> Rejection | None:
    """Apply the law of steps to a new attempt: what ended is taken up and ends again, if the table allows (C2)."""
    identity = (event.run_id, event.record.key)
    before = draft.steps.get(identity) or draft.known.steps.get(identity, Status.PENDING)
    try:
        started = advance(before, Status.IN_PROGRESS)
        draft.steps[identity] = advance(started, event.record.handoff.status)
    except IllegalTransition as refusal:
        refusal.add_note(
            f"step {event.record.key!r} of node {event.record.node!r} in run {event.run_id!r}; the first record stays"
        )
        return refusal
    return _of_its_run(draft, event)


def _raise_concern(draft: _Draft, event: ConcernRaised) -> Rejection | None:
    identity = event.record.id
    if identity in draft.known.concerns or identity in draft.concerns:
        return JournalError(f"cannot raise concern {identity!r}: something with this id is in the journal already")
    if event.record.disposition is not None or event.record.reopened:
        return InvalidInput(f"concern {identity!r} is raised with its disposition; raise it, then dispose of it")
    draft.concerns[identity] = event.record
    return _of_its_run(draft, event)


def _dispose(draft: _Draft, event: ConcernDisposed) -> Rejection | None:
    raised = _raised(draft, event)
    if raised is None:
        return unknown("concern", event.concern_id, "echelon concerns list")
    if why := why_not_disposed(raised, event.disposition):
        return InvalidInput(why)
    draft.concerns[event.concern_id] = raised.disposed(event.disposition)
    return None


def _reopen(draft: _Draft, event: ConcernReopened) -> Rejection | None:
    ended = _raised(draft, event)
    if ended is None:
        return unknown("concern", event.concern_id, "echelon concerns list --all")
    if why := why_not_reopened(ended, event.evidence):
        return InvalidInput(why)
    draft.concerns[event.concern_id] = ended.reopen(event.by, event.reason, event.evidence, event.at)
    return None


def _raised(draft: _Draft, event: ConcernDisposed | ConcernReopened) -> ConcernRecord | None:
    """Return the concern that an event is about; None where its run has none with this id."""
    found = draft.concerns.get(event.concern_id) or draft.known.concerns.get(event.concern_id)
    return found if found is not None and found.run_id == event.run_id else None


def _intend_effect(draft: _Draft, event: EffectIntended) -> Rejection | None:
    """Apply the law of what cannot be undone: it begins with an approval that is used up by that (O5)."""
    intent = event.intent
    if intent.effect == "irreversible" and intent.run_id == event.run_id and intent.key not in draft.approved:
        return InvalidInput(f"{intent.task_id} cannot be undone, and is begun without an approval: raise a gate first")
    return _check_run(event.run_id, intent.run_id)


def _raise_gate(draft: _Draft, event: GateRaised) -> Rejection | None:
    gate = event.record
    if gate.id in draft.known.gates or gate.id in draft.gates:
        return JournalError(f"cannot raise gate {gate.id!r}: something with this id is in the journal already")
    if gate.answers or gate.closed or gate.used:
        return InvalidInput(f"gate {gate.id!r} is raised with its answer; raise it, then answer it")
    draft.gates[gate.id] = gate
    return _check_run(event.run_id, gate.run_id)


def _change_gate(draft: _Draft, event: GateEvent) -> Rejection | None:
    gate = draft.gates.get(event.gate_id) or draft.known.gates.get(event.gate_id)
    if gate is None or gate.run_id != event.run_id:
        return unknown("gate", event.gate_id, "echelon gates list --all")
    if isinstance(event, ApprovalUsed) and (why := why_not_usable(gate, event.key, event.digest, event.at)):
        return InvalidInput(f"the approval of gate {gate.id!r} cannot be used: {why}")
    if isinstance(event, ApprovalUsed):
        draft.approved.add(event.key)
    draft.gates[gate.id] = apply_to_gate(gate, event)
    return None


def _of_its_run(_draft: _Draft, event: RunStarted | StepEnded | ConcernRaised) -> Rejection | None:
    return _check_run(event.run_id, event.record.run_id)


def _check_run(run_id: str, of_record: str) -> Rejection | None:
    if run_id == of_record:
        return None
    return InvalidInput(f"a record of run {of_record!r} cannot be written in the log of run {run_id!r}")


_LAWS: dict[type[Event], Callable[[_Draft, Any], Rejection | None]] = {
    RunStarted: _start_run,
    StepEnded: _end_step,
    ConcernRaised: _raise_concern,
    ConcernDisposed: _dispose,
    ConcernReopened: _reopen,
    EffectIntended: _intend_effect,
    GateRaised: _raise_gate,
    GateAnswered: _change_gate,
    GateExtended: _change_gate,
    GateClosed: _change_gate,
    ApprovalUsed: _change_gate,
    ApprovalReturned: _change_gate,
}
"""Kind → its law. What is not here may always be written."""


def unknown(kind: str, identity: str, command: str) -> InvalidInput:
    """Return the refusal of something that is not in the journal."""
    return InvalidInput(f"there is no {kind} {identity!r} in the journal; `{command}` shows what is there")


#: How many runs an ambiguous prefix is shown to match.
MAX_CANDIDATES = 6


def choose_run(wanted: str, found: Sequence[str]) -> str:
    """Return the run that an id or the beginning of one means; `found` are up to `MAX_CANDIDATES` that begin with it.

    Raise `InvalidInput` unless that is one run.
    """
    if wanted in found:
        return wanted
    if len(found) == 1:
        return found[0]
    if not found:
        raise unknown("run", wanted, "echelon runs")
    candidates = ", ".join(found[: MAX_CANDIDATES - 1])
    raise InvalidInput(f"{wanted!r} may mean several runs: {candidates}; give more of the id")
