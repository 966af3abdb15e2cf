"""The laws of the log: which events may be written behind what is on record. Pure, and the same for every adapter.

A unit is admitted as a whole or refused as a whole, with the reason. What a law must know is in `Known`; an adapter
fills it with what is on record about the runs, steps and concerns of the units at hand, and asks for one after the
other: each sees what was admitted before it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from echelon.model.concern import Disposition
from echelon.model.errors import EchelonError, IllegalTransition, InvalidInput, JournalError
from echelon.model.status import Status, advance
from echelon.runlog.events import ConcernDisposed, ConcernRaised, EffectIntended, Event, RunEvent, RunStarted, StepEnded

#: Why something is not written.
Rejection = EchelonError

StepKey = tuple[str, str]
"""A step within the journal: its run and its key."""


@dataclass(frozen=True)
class KnownConcern:
    """A concern on record."""

    run_id: str
    """The run it was raised in."""
    end: Disposition | None = None
    """What ended it; None while it is open."""


@dataclass(frozen=True)
class Known:
    """What is on record, as far as the laws ask for it."""

    runs: set[str] = field(default_factory=set[str])
    """Runs that there are."""
    steps: dict[StepKey, Status] = field(default_factory=dict[StepKey, Status])
    """How the last attempt at each step ended."""
    concerns: dict[str, KnownConcern] = field(default_factory=dict[str, KnownConcern])
    """Concerns, by id."""


class _Draft:
    """What will be known when a unit is admitted: nothing of it is kept when it is not."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.runs: set[str] = set()
        self.steps: dict[StepKey, Status] = {}
        self.concerns: dict[str, KnownConcern] = {}

    def keep(self) -> None:
        self.known.runs.update(self.runs)
        self.known.steps.update(self.steps)
        self.known.concerns.update(self.concerns)


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


def asked_steps(events: Iterable[RunEvent]) -> set[StepKey]:
    """Return the steps that the laws ask for."""
    return {(event.run_id, event.record.key) for event in events if type(event) is StepEnded}


def asked_concerns(events: Iterable[RunEvent]) -> set[str]:
    """Return the ids of the concerns that the laws ask for."""
    return {event.subject for event in events if type(event) is ConcernRaised or type(event) is ConcernDisposed}


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
    if event.record.disposition is not None:
        return InvalidInput(f"concern {identity!r} is raised with its disposition; raise it, then dispose of it")
    draft.concerns[identity] = KnownConcern(event.run_id)
    return _of_its_run(draft, event)


def _dispose(draft: _Draft, event: ConcernDisposed) -> Rejection | None:
    raised = draft.concerns.get(event.concern_id) or draft.known.concerns.get(event.concern_id)
    if raised is None or raised.run_id != event.run_id:
        return unknown("concern", event.concern_id, "echelon concerns list")
    if (end := raised.end) is not None:
        return InvalidInput(
            f"concern {event.concern_id!r} was {end.verdict} by {end.author} on {end.at:%Y-%m-%d %H:%M} UTC "
            f"({end.reason}); a disposition is final: raise a new concern"
        )
    draft.concerns[event.concern_id] = KnownConcern(event.run_id, event.disposition)
    return None


def _intend_effect(_draft: _Draft, event: EffectIntended) -> Rejection | None:
    return _check_run(event.run_id, event.intent.run_id)


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
    EffectIntended: _intend_effect,
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
