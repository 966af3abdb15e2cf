"""What a job has switched on of its oversight is said of it, and nothing else of that (K)."""

from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from echelon import Audit, Autonomy, Conflict, Job, Key, Oversight, Sync, agent
from echelon.conventions.facts import facts_of
from echelon.conventions.page import TO_PEOPLE
from echelon.definition.conventions import job_facts
from tests.unit.coordination.jobs import Item, Items, items, of_domain, staged, total

#: Rows about how a job judges its own work, and when it synchronises.
OVERSIGHT = {
    "sync.waves",
    "sync.flat",
    "integration.early",
    "concerns.autonomy",
    "verification.judges",
    "verification.critical",
    "verification.tried",
    "verification.audit",
    "verification.conflicts",
}


@agent
async def read(item: Item) -> str:
    """Read an item."""
    return item.id


class Weight(BaseModel):
    """What something weighs."""

    item: Annotated[str, Key()]


@agent
async def weigh(item: Item) -> Weight:
    """Weigh an item."""
    return Weight(item=item.id)


def is_read(output: str) -> bool:
    return bool(output)


def is_seen(output: str) -> bool:
    return bool(output)


def stricter(conflict: Conflict) -> str:
    return ""


def said(count: int = 20, oversight: Oversight | None = None, **phase: Any) -> set[str]:
    job = Job("said", goal="See everything", inputs=Items, oversight=oversight)
    job.phase("read", **({"each": read} | phase), over=lambda items: items, domain=of_domain)
    half = count // 2
    facts = facts_of(job.plan(**items(half, count - half).model_dump()), job_facts(job))
    return {row.id for row in TO_PEOPLE if row.lines(facts)} & OVERSIGHT


@pytest.mark.parametrize(
    ("stated", "rows"),
    [
        ({}, set()),
        ({"sync": "phase"}, set()),
        ({"sync": Sync.every(4)}, {"sync.waves"}),
        ({"sync": Sync.every(4), "integrate": staged}, {"sync.waves", "integration.early"}),
        ({"integrate": total}, set()),  # audits begin at fifty agents
        ({"integrate": total, "count": 60}, {"verification.audit"}),
        ({"integrate": total, "oversight": Oversight(audit=Audit())}, {"verification.audit"}),
        ({"integrate": total, "oversight": Oversight(audit=Audit()), "count": 8}, set()),
        ({"oversight": Oversight(audit=Audit())}, set()),  # nothing is integrated
        ({"flat": True}, {"sync.flat"}),
        ({"verify": is_read}, {"verification.judges", "verification.tried"}),
        ({"verify": is_read, "count": 8}, {"verification.judges"}),
        ({"oversight": Oversight(verify=is_seen)}, {"verification.critical", "verification.tried"}),
        ({"oversight": Oversight(verify=is_seen), "count": 8}, set()),
        ({"oversight": Oversight(autonomy=Autonomy(peers=(is_seen,)))}, {"concerns.autonomy"}),
        ({"settle": stricter, "each": weigh}, {"verification.conflicts"}),
        ({"oversight": Oversight(settle=stricter), "each": weigh}, {"verification.conflicts"}),
        ({"oversight": Oversight(settle=stricter)}, set()),  # nothing of it has a key
    ],
)
def test_what_is_switched_on_is_said_and_nothing_else(stated: dict[str, Any], rows: set[str]) -> None:
    assert said(**stated) == rows
