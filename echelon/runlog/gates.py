"""What each event changes in the record of a gate. Pure; the state of a run and the journal's index fold with it."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from echelon.model.oversight.gate import GateRecord
from echelon.runlog.gate_events import (
    ApprovalReturned,
    ApprovalUsed,
    GateAnswered,
    GateClosed,
    GateEvent,
    GateExtended,
    GateRaised,
)
from echelon.runlog.run_events import Event

#: Kinds of events that say something of gates.
GATE_KINDS = ("gate_raised", "gate_answered", "gate_extended", "gate_closed", "approval_used", "approval_returned")


def _answered(gate: GateRecord, event: GateAnswered) -> GateRecord:
    answer = event.answer
    if not answer.refused and not gate.is_open:  # another one came first
        answer = answer.model_copy(update={"refused": late(gate)})
    return gate.model_copy(update={"answers": (*gate.answers, answer)})


def _extended(gate: GateRecord, event: GateExtended) -> GateRecord:
    return gate.model_copy(update={"expires": event.until}) if gate.is_open else gate


def _closed(gate: GateRecord, event: GateClosed) -> GateRecord:
    return gate if gate.closed else gate.model_copy(update={"closed": event.reason, "closed_at": event.at})


def _used(gate: GateRecord, _event: ApprovalUsed) -> GateRecord:
    return gate.model_copy(update={"used": True})


def _returned(gate: GateRecord, _event: ApprovalReturned) -> GateRecord:
    return gate.model_copy(update={"used": False})


_APPLY: dict[type[GateEvent], Callable[[GateRecord, Any], GateRecord]] = {
    GateAnswered: _answered,
    GateExtended: _extended,
    GateClosed: _closed,
    ApprovalUsed: _used,
    ApprovalReturned: _returned,
}


def apply_to_gate(gate: GateRecord, event: GateEvent) -> GateRecord:
    """Return a gate behind one more event about it."""
    return _APPLY[type(event)](gate, event)


def apply_to_gates(gates: dict[str, GateRecord], event: Event) -> None:
    """Change gates, by id, by one more event; what says nothing of them changes nothing."""
    if isinstance(event, GateRaised):
        gates.setdefault(event.record.id, event.record)
    elif isinstance(event, GateEvent) and event.gate_id in gates:
        gates[event.gate_id] = apply_to_gate(gates[event.gate_id], event)


def gates_of(events: Iterable[Event]) -> dict[str, GateRecord]:
    """Return the gates that events tell of, by id, in the order they were raised."""
    gates: dict[str, GateRecord] = {}
    for event in events:
        apply_to_gates(gates, event)
    return gates


def late(gate: GateRecord) -> str:
    """Say why a gate takes no answer any more."""
    decided = gate.decision
    if decided is not None:
        return f"answered before: {decided.verdict} by {decided.author} at {decided.at:%Y-%m-%d %H:%M:%S} UTC"
    return f"not asked any more: {gate.closed}"


def time_is_up(gate: GateRecord, at: datetime) -> str:
    """Say what counts where nobody has answered a gate in its time; empty while it can be answered, or is not asked."""
    if not gate.is_open or gate.expires is None or not has_ended(gate, at):
        return ""
    counts = "deny" if gate.terms.on_expiry == "deny" else "approve, unless something holds it,"
    return (
        f"the time to answer ended at {gate.expires:%Y-%m-%d %H:%M:%S} UTC; {counts} counts when the run goes on: "
        f"echelon resume {gate.run_id}"
    )


def why_not_usable(gate: GateRecord, key: str, digest: str, at: datetime) -> str:
    """Say why nothing can be begun by what was answered; empty when the step with this key can begin exactly this."""
    decided = gate.decision
    if gate.closed or decided is None:
        return f"it is not asked any more: {gate.closed}" if gate.closed else "nobody has answered"
    objections = (
        (decided.verdict != "approve", f"{decided.author} answered {decided.verdict}"),
        (gate.used, "it was used before, and is good for one time"),
        (gate.key != key, "it was given for another step"),
        (not gate.digest == decided.digest == digest, "what would be done is not what was approved"),
        (decided.nonce != gate.nonce, "it was given for another gate"),
        (has_ended(gate, at), f"it ended at {gate.expires:%Y-%m-%d %H:%M:%S} UTC" if gate.expires else ""),
    )
    return next((text for applies, text in objections if applies), "")


def has_ended(gate: GateRecord, at: datetime) -> bool:
    """Say whether an approval, or the time to answer, is over; what counts by default when it was over does not end."""
    by_default = gate.decision is not None and gate.decision.channel == "expiry"
    return gate.expires is not None and not by_default and at > gate.expires
