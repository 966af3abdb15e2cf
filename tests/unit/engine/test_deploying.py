"""Schedules that make no sense are refused in one line, before a server is started for them."""

import pytest

from echelon.engine.deploying import next_run, schedule_of
from echelon.model.errors import InvalidInput

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("seconds", [1e12, 1e-4, 0.0, float("inf"), float("nan"), None])
def test_an_interval_is_between_a_second_and_ten_years(seconds: float | None) -> None:
    with pytest.raises(InvalidInput, match="--interval"):
        schedule_of(cron=None, interval_seconds=seconds, timezone="UTC")


@pytest.mark.parametrize("cron", ["0 3 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *"])
async def test_a_day_that_never_comes_is_refused(cron: str) -> None:
    with pytest.raises(InvalidInput, match="names a day that never comes"):
        await next_run(schedule_of(cron=cron, interval_seconds=None, timezone="UTC"))


@pytest.mark.parametrize("cron", ["0 3 29 2 *", "*/5 * * * *"])
async def test_a_day_that_comes_seldom_is_one(cron: str) -> None:
    assert await next_run(schedule_of(cron=cron, interval_seconds=None, timezone="Europe/Berlin"))
