"""What was begun that changes the world is on record before it is done (F8)."""

import pytest

from echelon.model.errors import JournalError
from echelon.model.session import EffectIntent
from tests.unit.journal.records import NOON

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(on_both):
    return on_both


def claim(task="pay", attempt=1, run_id="r1"):
    return EffectIntent(
        run_id=run_id,
        key=f"key-of-{task}",
        task_id=task,
        effect="irreversible",
        idempotency_key="abc",
        attempt=attempt,
        token=0,
        at=NOON,
    )


async def test_claims_come_back_in_their_order(journal):
    for each in (claim(), claim(attempt=2), claim("send")):
        await journal.claim(each)

    assert await journal.claims("r1") == (claim(), claim(attempt=2), claim("send"))


async def test_a_settled_claim_says_so_and_no_other_does(journal):
    for each in (claim(), claim(attempt=2), claim("send")):
        await journal.claim(each)
    await journal.settle(claim())

    assert [found.settled for found in await journal.claims("r1")] == [True, False, False]


async def test_an_attempt_is_claimed_once(journal):
    await journal.claim(claim())

    with pytest.raises(JournalError, match="a claim of 'pay'"):
        await journal.claim(claim())


async def test_a_claim_belongs_to_a_run(journal):
    with pytest.raises(JournalError, match="its run is not in the journal"):
        await journal.claim(claim(run_id="r9"))
