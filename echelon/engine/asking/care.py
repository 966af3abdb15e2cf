"""What a flow run needs that asks people, or was cut short: nobody is at work in it, so others see to it. Pure."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from echelon.engine.asking.flow_runs import AskingFlowRun
from echelon.model.oversight.gate import GateRecord
from echelon.model.run import RunRecord, RunStatus


class Care(StrEnum):
    """What is done with a flow run."""

    WAKE = "wake"  #: its process begins again: something was decided that it does not know of
    END = "end"  #: its run went on elsewhere, and has ended there
    AGAIN = "again"  #: its run is gone on with in another flow run: this one was cut short


def care_for(flow_run: AskingFlowRun, record: RunRecord | None, gates: Sequence[GateRecord]) -> Care | None:
    """Return what a flow run needs, given its run and the gates of that; None where it needs nothing."""
    if record is None:
        return None
    if flow_run.was_cut_short:
        return Care.AGAIN if record.status is RunStatus.WAITING and _concerns_gates(flow_run, gates) else None
    if flow_run.asks is None or flow_run.since is None or record.status is RunStatus.RUNNING:
        return None
    if record.status is RunStatus.WAITING:
        return Care.WAKE if has_news(gates, flow_run.asks, flow_run.since) else None
    is_asked = record.status is RunStatus.INTERRUPTED and any(gate.is_open for gate in gates)
    return None if is_asked else Care.END


def why_ended(flow_run: AskingFlowRun, record: RunRecord, gates: Sequence[GateRecord]) -> str:
    """Say why a flow run is ended that asked a gate: its run has ended, and the gate may have been closed before."""
    closed = next((gate.closed for gate in gates if gate.id == flow_run.asks and gate.closed), None)
    return f"run {record.run_id} went on elsewhere: {record.status.value}" + (f" ({closed})" if closed else "")


def has_news(gates: Sequence[GateRecord], asked: str, since: datetime) -> bool:
    """Say whether a gate was decided since a flow run asks, or the one that it asks is not asked any more."""
    return any((gate.id == asked and not gate.is_open) or _decided_after(gate, since) for gate in gates)


def next_to_ask(gates: Sequence[GateRecord]) -> GateRecord | None:
    """Return the gate that is asked first: the one that ends first, else the one that was raised first."""
    waiting = [gate for gate in gates if gate.is_open]
    ending = [gate for gate in waiting if gate.expires is not None]
    return min(ending, key=lambda gate: gate.expires or gate.at, default=None) or next(iter(waiting), None)


def _decided_after(gate: GateRecord, since: datetime) -> bool:
    return gate.decision is not None and gate.decision.at > since


def _concerns_gates(flow_run: AskingFlowRun, gates: Sequence[GateRecord]) -> bool:
    """Say whether a flow run that was cut short had to do with gates: it was to go on, or to ask."""
    return bool(flow_run.keys) or any(gate.is_open for gate in gates)
