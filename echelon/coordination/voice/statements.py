"""What an agent said as events: bounded, without secrets, each once however often it is read (X15, O1). Pure."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from echelon.agents.voice.file import Speaker
from echelon.coordination.step.envelope import without_secrets
from echelon.coordination.voice.raising import Raising
from echelon.journal.digest import digest_of
from echelon.model.concern import CRITICAL, Concern
from echelon.model.phrasing import count
from echelon.model.voice.proposals import ProposalRecord
from echelon.model.voice.said import (
    Proposal,
    Said,
    SaidBlocked,
    SaidConcern,
    SaidConfidence,
    SaidTask,
    blocked_on,
)
from echelon.redaction import redact
from echelon.runlog.events import BlockedReported, ConcernRaised, ConfidenceStated, Event, RunEvent, TaskProposed

#: How much of what one step says is put on record, each by itself; the rest is counted, and the count is on record.
#: What is critical is counted apart: no noise takes its place.
MOST = {"critical": 100, "concern": 100, "task": 50, "confidence": 20, "blocked": 20}

#: What is counted, in words.
_NOUNS = {
    "critical": "critical concern",
    "concern": "concern",
    "task": "proposed task",
    "confidence": "statement of confidence",
    "blocked": "blockage",
}

#: Digits and letters that are not mistaken for one another; ten of them hardly ever meet twice (50 bits).
ID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
ID_LENGTH = 10


def said_id(run_id: str, step: str, said: Concern | Proposal) -> str:
    """Return the id of what a step says: the same each time that it is said or read, so that it is on record once."""
    number = int(digest_of((run_id, step, type(said).__name__, said))[:13], 16) >> 2
    return "".join(ID_ALPHABET[number >> 5 * place & 31] for place in reversed(range(ID_LENGTH)))


@dataclass
class Statements:
    """What one step has said so far."""

    raising: Raising
    speaker: Speaker
    counted: dict[str, int] = field(default_factory=dict[str, int])
    """By what is counted together."""
    concerns: list[Concern] = field(default_factory=list[Concern])
    """Those that are put on record each by itself."""
    confidence: float | None = None
    """The last that was stated."""
    blocked: SaidBlocked | None = None
    """What it waits for."""
    unread: int = 0
    """Bytes that were not read any more."""

    def take(self, said: Iterable[Said], at: datetime) -> Iterator[RunEvent]:
        """Take more of it, and yield what is put on record."""
        for one in said:
            sort = _sort_of(one)
            self.counted[sort] = self.counted.get(sort, 0) + 1
            if isinstance(one, SaidConfidence):
                self.confidence = one.confidence
            elif isinstance(one, SaidBlocked):
                self.blocked = one
            if self.counted[sort] <= MOST[sort]:
                yield self._event(one, at)

    def proposed(self, proposals: Iterable[Proposal], at: datetime) -> Iterator[TaskProposed]:
        """Yield proposals as the step's."""
        return (self._proposed(one, at) for one in proposals)

    @property
    def too_much(self) -> str:
        """Say what is not on record by itself; empty when everything is."""
        over = {kind: number for kind, number in self.counted.items() if number > MOST[kind]}
        parts = [f"{count(number, _NOUNS[kind])} ({MOST[kind]} on record)" for kind, number in over.items()]
        parts += [f"{self.unread:,} bytes more than are read"] if self.unread else []
        return f"it said more than is taken from one task: {', '.join(parts)}" if parts else ""

    @property
    def why_blocked(self) -> str:
        """Say what it waits for; empty when it waits for nothing."""
        return blocked_on(redact(self.blocked.on), redact(self.blocked.reason)) if self.blocked else ""

    def _event(self, said: Said, at: datetime) -> RunEvent:
        speaker = self.speaker
        run, key, task = self.raising.run_id, speaker.key, speaker.task_id
        match said:
            case SaidConcern(concern=concern):
                (concern,) = without_secrets([concern])
                self.concerns.append(concern)
                return self.raising.event(
                    said_id(run, key, concern),
                    speaker.node,
                    concern,
                    at,
                    step=key,
                    task_id=task,
                    phase=speaker.phase,
                )
            case SaidConfidence(confidence=confidence):
                return ConfidenceStated(run_id=run, at=at, key=key, task_id=task, confidence=confidence)
            case SaidBlocked(on=on, reason=reason):
                return BlockedReported(run_id=run, at=at, key=key, task_id=task, on=redact(on), reason=redact(reason))
            case SaidTask(proposal=proposal):
                return self._proposed(proposal, at)

    def _proposed(self, proposal: Proposal, at: datetime) -> TaskProposed:
        speaker = self.speaker
        item = json.loads(redact(json.dumps(proposal.item)))
        hidden = {"goal": redact(proposal.goal), "reason": redact(proposal.reason), "item": item}
        record = ProposalRecord(
            id=said_id(self.raising.run_id, speaker.key, proposal),
            step=speaker.key,
            task_id=speaker.task_id,
            node=speaker.node,
            owner=speaker.owner,
            phase=speaker.phase,
            proposal=proposal.model_copy(update=hidden),
            at=at,
        )
        return TaskProposed(run_id=self.raising.run_id, at=at, record=record)


def _sort_of(said: Said) -> str:
    is_critical = isinstance(said, SaidConcern) and said.concern.route in CRITICAL
    return "critical" if is_critical else said.kind


def id_of(event: Event) -> str | None:
    """Return the id of what must be on record once; None for what may be there several times."""
    return event.record.id if isinstance(event, ConcernRaised | TaskProposed) else None
