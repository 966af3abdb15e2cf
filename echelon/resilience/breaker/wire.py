"""How a shared breaker looks in Redis: its keys, and what the script says about it (F1). Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from echelon.resilience.breaker.store import BreakerRecord

_BEGIN, _END = "echelon:breaker:{", "}"

#: What finds the keys of all records.
EVERY_KEY = f"{_BEGIN}*{_END}"


def keys_of(name: str) -> list[str]:
    """Return the keys of a breaker: its record, and its slots for probes."""
    key = f"{_BEGIN}{name}{_END}"  # the braces keep both keys on one node of a cluster
    return [key, f"{key}:trials"]


def name_of(key: bytes | str) -> str:
    """Return the breaker that a key of a record belongs to."""
    return text_of(key).removeprefix(_BEGIN).removesuffix(_END)


def record_of(reply: Sequence[Any]) -> BreakerRecord:
    """Return what the script said about a breaker."""
    state, epoch, wait_ms, trips, reason, isolated = map(text_of, reply[:6])
    return BreakerRecord(
        state=state,
        epoch=int(epoch),
        probe_in_seconds=int(wait_ms) / 1000,
        trips=int(trips),
        reason=reason,
        isolated=isolated,
        isolated_by=text_of(reply[7]),
    )


def since(record: BreakerRecord) -> datetime | None:
    """Return when the state was entered, by the clock of the Redis server; None when nothing is on record."""
    return datetime.fromtimestamp(record.epoch / 1_000_000, UTC) if record.epoch else None


def text_of(value: bytes | str) -> str:
    """Read what Redis says, whether or not its URL asks for decoded answers."""
    return value.decode() if isinstance(value, bytes) else value
