"""Days and months of standing budgets, and what may be said of many runs (F10)."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon import Job, Resilience
from echelon.model.errors import InvalidJob
from echelon.model.standing.window import slot_of, window_of
from echelon.model.usage import Budget

AT = datetime(2026, 11, 29, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("per", "zone", "name", "closing"),
    [
        ("day", "UTC", "2026-11-29", "2026-11-30 00:00 UTC"),
        ("month", "UTC", "2026-11", "2026-12-01 00:00 UTC"),
        ("day", "Europe/Berlin", "2026-11-30", "2026-12-01 00:00 CET"),  # it is half past midnight there
        ("day", "America/New_York", "2026-11-29", "2026-11-30 00:00 EST"),
    ],
)
def test_a_window_is_a_day_or_month_of_its_time_zone(per: Any, zone: str, name: str, closing: str) -> None:
    window = window_of(per, AT, ZoneInfo(zone))

    assert (window.name, window.closing) == (name, closing)


@given(
    at=st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds it
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"]),
    per=st.sampled_from(["day", "month"]),
)
def test_every_moment_lies_in_one_window_whose_ends_are_between_slots(at: datetime, zone: str, per: Any) -> None:
    window = window_of(per, at, ZoneInfo(zone))
    following = window_of(per, window.closes, ZoneInfo(zone))

    assert window.has(at)
    assert slot_of(window.opens) <= slot_of(at) < slot_of(window.closes)
    assert following.opens == window.closes


@pytest.mark.parametrize(
    ("stated", "why"),
    [
        ({"seconds": 5, "per": "day"}, "a budget per day bounds tokens, calls or cost"),
        ({"per": "month"}, "a budget per month bounds nothing"),
        ({"cost": 5, "final_call": 0.1, "per": "day"}, "state final_call in the budget of a run"),
    ],
)
def test_what_cannot_be_said_of_many_runs_is_refused_in_one_line(stated: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidJob, match=why) as refused:
        Budget(**stated)

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("whose", ["budget", "domain_budget"])
def test_only_a_job_has_standing_budgets(whose: str) -> None:
    with pytest.raises(InvalidJob, match=r"state it as Job\(budget=\.\.\.\)"):
        Resilience(**{whose: Budget(cost=1, per="day")})


def test_a_job_states_what_a_run_may_use_and_what_all_of_them_may() -> None:
    job = Job("ask", goal="x", budget=[Budget(seconds=9), Budget(cost=5, per="day"), Budget(cost=50, per="month")])

    assert job.budget == Budget(seconds=9)
    assert [(one.cost, one.per) for one in job.standing] == [(5, "day"), (50, "month")]


@pytest.mark.parametrize(("per", "why"), [(None, "two budgets for a run"), ("day", "two budgets per day")])
def test_a_job_states_each_budget_once(per: Any, why: str) -> None:
    with pytest.raises(InvalidJob, match=why):
        Job("ask", goal="x", budget=[Budget(cost=1, per=per), Budget(cost=2, per=per)])
