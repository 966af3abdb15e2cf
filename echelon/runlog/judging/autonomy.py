"""What follows from decisions about results: records of agents, and how long approvals wait (X7, X11, M4). Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from echelon.model.autonomy.decisions import AgentAutonomy, ApprovalQueue, ResultDecision
from echelon.model.autonomy.terms import DEFAULT_TERMS
from echelon.model.autonomy.track import Track
from echelon.model.concern import ConcernRecord
from echelon.runlog.judging.autonomy_events import AutonomyDecided


class AgentVersion(NamedTuple):
    """An agent as it is now: one that changes begins a record of its own."""

    agent: str
    """Its name."""
    code: str
    """Its fingerprint; empty when it is not known."""


@dataclass(frozen=True)
class KnownAgents:
    """What earlier runs of a job know of agents."""

    tracks: Mapping[AgentVersion, Track] = field(default_factory=dict[AgentVersion, Track])
    """What became of their results."""
    kinds: Mapping[AgentVersion, frozenset[str]] = field(default_factory=dict[AgentVersion, frozenset[str]])
    """Kinds of work that each has done."""

    def track_of(self, agent: AgentVersion) -> Track:
        """Return the record of an agent; an empty one where it has none."""
        return self.tracks.get(agent, Track())


#: What is known where there was no run before.
NOTHING_KNOWN = KnownAgents()


def known_agents(decided: Iterable[AutonomyDecided], concerns: Iterable[ConcernRecord]) -> KnownAgents:
    """Return what runs know of agents, given what was decided in them and what people said of it since."""
    last = list({(event.run_id, event.phase): event for event in decided}.values())
    asked = {record.id: record for record in concerns}
    tracks: dict[AgentVersion, Track] = {}
    kinds: dict[AgentVersion, set[str]] = {}
    for event in last:
        for one in event.standings:
            kinds.setdefault(AgentVersion(one.agent, one.code), set()).update(one.kinds)
        for agent, track in judged_in(event, asked):
            tracks[agent] = tracks.get(agent, Track()) + track
    return KnownAgents(tracks, {agent: frozenset(found) for agent, found in kinds.items()})


def judged_in(event: AutonomyDecided, asked: Mapping[str, ConcernRecord]) -> Iterator[tuple[AgentVersion, Track]]:
    """Yield what a phase shows of each agent: by what judged its results, and by what people answered."""
    for one in event.standings:
        yield AgentVersion(one.agent, one.code), one.own
    alone = _asked_alone(event.decisions)
    for one in event.decisions if event.standings else ():
        right = None if one.judged else _answered(asked.get(one.concern), alone=one.concern in alone)
        if right is not None:
            yield AgentVersion(one.agent, one.code), Track.of(one.stated, right=right)


def _answered(record: ConcernRecord | None, *, alone: bool) -> bool | None:
    """Return what a person said of a result: a doubt that was dismissed was none, one whose cause was mended was one.

    Of several results that were asked about together nobody knows which one was mended; what is accepted is lived with.
    """
    end = record.disposition if record is not None else None
    if end is None or end.verdict == "accepted":
        return None
    return True if end.verdict == "dismissed" else (False if alone else None)


def _asked_alone(decisions: Iterable[ResultDecision]) -> set[str]:
    ids = [one.concern for one in decisions if one.concern]
    return {one for one in ids if ids.count(one) == 1}


def autonomy_of(
    decided: Mapping[str, AutonomyDecided], concerns: Mapping[str, ConcernRecord]
) -> tuple[AgentAutonomy, ...]:
    """Return where the agents of a run stand, by name: before it, and with what it shows."""
    before: dict[AgentVersion, Track] = {}
    own: dict[AgentVersion, Track] = {}
    for event in decided.values():
        for one in event.standings:
            before.setdefault(AgentVersion(one.agent, one.code), one.before)
        for agent, track in judged_in(event, concerns):
            own[agent] = own.get(agent, Track()) + track
    terms = next((event.terms for event in decided.values()), DEFAULT_TERMS)
    found = ((one, before[one], before[one] + own.get(one, Track())) for one in sorted(before))
    return tuple(AgentAutonomy.of(one.agent, one.code, was, now, terms) for one, was, now in found)


def autonomy_over_runs(
    decided: Sequence[AutonomyDecided], concerns: Iterable[ConcernRecord]
) -> tuple[AgentAutonomy, ...]:
    """Return where the agents of a job stand by all of its runs, and where they stood before the newest of them."""
    if not decided:
        return ()
    newest, records = decided[-1], tuple(concerns)
    now = known_agents(decided, records)
    before = known_agents((one for one in decided if one.run_id != newest.run_id), records)
    return tuple(
        AgentAutonomy.of(one.agent, one.code, before.track_of(one), now.track_of(one), newest.terms)
        for one in sorted(now.kinds)
    )


def escalated_in(decided: Mapping[str, AutonomyDecided]) -> frozenset[str]:
    """Return the tasks whose results did not proceed by themselves: a lead or a person was asked (M4)."""
    decisions = (one for event in decided.values() for one in event.decisions)
    return frozenset(one.task_id for one in decisions if one.concern or one.approved_by)


def approvals_of(
    decided: Mapping[str, AutonomyDecided], concerns: Mapping[str, ConcernRecord], now: datetime
) -> ApprovalQueue | None:
    """Return how many results wait for an answer, and for how long; None where everything proceeded."""
    decisions = [one for event in decided.values() for one in event.decisions]
    if not decisions:
        return None
    asked = {one.concern: concerns[one.concern] for one in decisions if one.concern in concerns}
    return ApprovalQueue(
        escalated=len(escalated_in(decided)),
        by_lead=sum(bool(one.approved_by) for one in decisions),
        batches=len(asked),
        waiting=sum(one.concern in asked and asked[one.concern].is_open for one in decisions),
        longest_seconds=max((_waited(record, now) for record in asked.values()), default=None),
    )


def _waited(record: ConcernRecord, now: datetime) -> float:
    end = record.disposition.at if record.disposition is not None else now
    return (end - record.open_since).total_seconds()
