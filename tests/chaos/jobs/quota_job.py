"""A job whose provider takes no more calls after a few, until it resets; the world counts what it is asked."""

import time
from datetime import UTC, datetime, timedelta

from echelon import Handoffs, Job, agent, integrator
from echelon.model.errors import QuotaExhausted
from tests.chaos.jobs.shipping_job import Parcels

#: Calls that are taken before the quota is used up, and how long that lasts, in seconds.
CALLS, CLOSED_SECONDS = 2, 3.0


def parcels(inputs: Parcels) -> list[str]:
    """Name the parcels."""
    return [f"p{number}" for number in range(inputs.count)]


@agent(breaker="provider", attempts=3)
async def weigh(item: str, inputs: Parcels) -> str:
    """Ask the provider, which keeps its books in the world: they outlive every process."""
    opens, calls, early = (inputs.world / name for name in ("opens", "calls", "early"))
    made = calls.read_text(encoding="utf-8").split() if calls.exists() else []
    if len(made) == CALLS and not opens.exists():
        opens.write_text(str(time.time() + CLOSED_SECONDS), encoding="utf-8")
        raise QuotaExhausted(until=_moment(opens.read_text(encoding="utf-8")), said="2 calls")
    if opens.exists() and time.time() < float(opens.read_text(encoding="utf-8")):
        early.write_text(item, encoding="utf-8")
        raise QuotaExhausted(until=_moment(opens.read_text(encoding="utf-8")), said="2 calls")
    with calls.open("a", encoding="utf-8") as book:
        book.write(f"{item}\n")
    return item


def _moment(text: str) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=float(text))


@integrator
async def weights(weighed: Handoffs[str]) -> list[str]:
    """Put the answers together."""
    return sorted(weighed.outputs())


quota_job = Job("quota", goal="Weigh all parcels", inputs=Parcels)
quota_job.phase("weigh", each=weigh, over=parcels, integrate=weights)
