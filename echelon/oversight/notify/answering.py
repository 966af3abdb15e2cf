"""An answer that comes with a token: what the token is for, whether it is good, and what is put on record (O8).

A token that is no good answers nothing. Where it names a gate, that somebody tried is on record as a refused answer.
The gate takes one answer that counts, so its tokens end with that; a concern may be reopened, so its token is noted as
used in the transaction that ends the concern.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from echelon.journal.port import Journal
from echelon.model.concern import ConcernRecord, Disposition
from echelon.model.errors import InvalidInput
from echelon.model.oversight.gate import GateRecord
from echelon.model.oversight.notification import IssuedToken, NotificationRecord
from echelon.oversight.gates.answering import Answered, answer_gate, concerns_of_gate, extend_gate
from echelon.oversight.gates.answers import AnswerWish
from echelon.oversight.notify.tokens import digest_of_token, subject_of_token
from echelon.runlog.events import ConcernDisposed
from echelon.runlog.gate_events import GateAnswered
from echelon.runlog.notify_events import TokenUsed
from echelon.runlog.outbox import OUTBOX_KINDS, Outbox, apply_to_outbox

#: What to do with a token that is no good.
INSTEAD = "answer in another way: echelon gates, echelon concerns"


@dataclass(frozen=True, kw_only=True)
class FoundToken:
    """What a token names, and what is known of the token itself."""

    subject: GateRecord | ConcernRecord
    """The gate or concern."""
    record: NotificationRecord | None
    """The notification whose message has it; None for a token that was never made."""
    token: IssuedToken | None
    """What is on record of it."""

    def objection(self, author: str, at: datetime) -> str:
        """Say why nobody of this name can answer with it; empty when they can."""
        if self.record is None or self.token is None:
            return "no message has this token"
        approver = self.record.notification.approver
        objections = (
            (self.token.digest in self.record.used, "the token was used before, and is good for one time"),
            (at > self.token.expires, f"the token ended at {self.token.expires:%Y-%m-%d %H:%M:%S} UTC"),
            (bool(approver) and author != approver, f"the token is for {approver}, not for {author}"),
        )
        return next((text for applies, text in objections if applies), "")


async def find_token(journal: Journal, token: str) -> FoundToken:
    """Return what a token is for; `InvalidInput` for a text that names nothing in this journal."""
    token = token.strip()
    subject_id = subject_of_token(token)
    subject = await _subject(journal, subject_id) if subject_id else None
    if subject is None:
        raise InvalidInput(f"this token belongs to nothing in this journal; copy all of it, or {INSTEAD}")
    outbox: Outbox = {}
    for entry in await journal.events(subject.run_id, kinds=OUTBOX_KINDS):
        apply_to_outbox(outbox, entry.event)
    digest = digest_of_token(token)
    for record in outbox.values():
        for issued in record.tokens:
            if issued.digest == digest and record.notification.subject_id == subject_id:
                return FoundToken(subject=subject, record=record, token=issued)
    return FoundToken(subject=subject, record=None, token=None)


async def answer_with_token(journal: Journal, found: FoundToken, wish: AnswerWish) -> Answered:
    """Answer the gate of a token; the answer is on record also where it does not count."""
    gate, at = gate_of(found), datetime.now(UTC)
    wish = replace(wish, channel="token", digest=gate.digest, nonce=gate.nonce)
    objection = found.objection(wish.author, at)
    if not objection:
        return await answer_gate(journal, gate.id, wish, at)
    refused = wish.about(gate, at, await concerns_of_gate(journal, gate)).model_copy(update={"refused": objection})
    await journal.append(GateAnswered(run_id=gate.run_id, at=at, gate_id=gate.id, answer=refused))
    return Answered(gate, refused)


async def extend_with_token(journal: Journal, found: FoundToken, more: timedelta, by: str, reason: str) -> GateRecord:
    """Give the gate of a token more time; the token stays good. `InvalidInput` says why that cannot be."""
    gate = gate_of(found)
    _refuse(found.objection(by, datetime.now(UTC)))
    return await extend_gate(journal, gate.id, more, by, reason)


async def dispose_with_token(journal: Journal, found: FoundToken, end: Disposition) -> ConcernRecord:
    """End the concern of a token, which is used up by that. `InvalidInput` says why that cannot be."""
    concern = concern_of(found)
    _refuse(found.objection(end.author, end.at))
    assert found.record is not None, "a token that is good was made for a message"
    assert found.token is not None
    run_id, used = concern.run_id, found.token.digest
    await journal.append(
        ConcernDisposed(run_id=run_id, at=end.at, concern_id=concern.id, disposition=end),
        TokenUsed(run_id=run_id, at=end.at, notification_id=found.record.notification.id, digest=used),
    )
    return concern.model_copy(update={"disposition": end})


def gate_of(found: FoundToken) -> GateRecord:
    """Return the gate that a token is for; `InvalidInput` where it is for a concern."""
    if isinstance(found.subject, GateRecord):
        return found.subject
    raise InvalidInput(f"this token is for concern {found.subject.id!r}: say resolved, accepted or dismissed")


def concern_of(found: FoundToken) -> ConcernRecord:
    """Return the concern that a token is for; `InvalidInput` where it is for a gate."""
    if isinstance(found.subject, ConcernRecord):
        return found.subject
    raise InvalidInput(f"this token is for gate {found.subject.id!r}: say approve, deny, done or extend")


async def _subject(journal: Journal, subject_id: str) -> GateRecord | ConcernRecord | None:
    gates = await journal.gates(ids=[subject_id])
    if gates:
        return gates[0]
    return next((one for one in await journal.concerns() if one.id == subject_id), None)


def _refuse(objection: str) -> None:
    if objection:
        raise InvalidInput(f"{objection}; {INSTEAD}")
