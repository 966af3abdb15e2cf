"""Which messages are to be sent: a gate has one of its own, others that go the same way share one. Pure (O8)."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from echelon.model.concern import ConcernRecord
from echelon.model.oversight.channel import NotifyChannel
from echelon.model.oversight.gate import GateRecord
from echelon.model.oversight.notification import NotificationRecord, Topic

#: Concerns, or exceptions, that one message tells of at most.
MAX_CONCERNS = 20


@dataclass(frozen=True)
class Letter:
    """What is sent as one message."""

    records: tuple[NotificationRecord, ...]
    """The notifications that it carries, the oldest first."""

    @property
    def notifications(self) -> tuple[str, ...]:
        """Their ids."""
        return tuple(one.notification.id for one in self.records)

    @property
    def key(self) -> str:
        """Idempotency key: the same whenever the same is sent, by whichever process."""
        return hashlib.sha256("\0".join(sorted(self.notifications)).encode()).hexdigest()[:32]

    @property
    def channel(self) -> NotifyChannel:
        """How it is delivered."""
        return self.records[0].notification.channel

    @property
    def topic(self) -> Topic:
        """What all of it is about."""
        return self.records[0].notification.topic

    @property
    def is_gate(self) -> bool:
        """Does it ask about a gate?"""
        return self.topic == "gate"


def unsent(
    outbox: Mapping[str, NotificationRecord],
    gates: Mapping[str, GateRecord],
    concerns: Mapping[str, ConcernRecord],
) -> tuple[NotificationRecord, ...]:
    """Return what was not delivered yet and is still of use: what is decided needs no message any more.

    That something happened is of use whatever became of it.
    """

    def waits(record: NotificationRecord) -> bool:
        told = record.notification
        if told.topic == "gate":
            return (gate := gates.get(told.subject_id)) is not None and gate.is_open
        if told.topic == "exception":
            return True
        return (concern := concerns.get(told.subject_id)) is not None and concern.disposition is None

    return tuple(record for record in outbox.values() if record.sent is None and waits(record))


def way_of(record: NotificationRecord) -> str:
    """Name what a notification shares its message with: nothing for a gate, else topic, channel and approver."""
    told = record.notification
    return told.id if told.topic == "gate" else f"{told.topic}\0{told.approver}\0{told.channel.model_dump_json()}"


def letters_of(records: Iterable[NotificationRecord]) -> tuple[Letter, ...]:
    """Return the messages that carry these notifications, in their order."""
    together: dict[str, list[NotificationRecord]] = defaultdict(list)
    for record in records:
        together[way_of(record)].append(record)
    return tuple(Letter(some) for many in together.values() for some in _cut(many))


def _cut(records: Sequence[NotificationRecord]) -> Iterator[tuple[NotificationRecord, ...]]:
    yield from (tuple(records[begin : begin + MAX_CONCERNS]) for begin in range(0, len(records), MAX_CONCERNS))
