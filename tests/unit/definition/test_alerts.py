"""How many alerts people are shown one by one is said by the job, and stands in its plan (V7)."""

import pytest

from echelon import Job, Oversight, agent
from echelon.model.errors import InvalidJob
from echelon.model.plan import ALERTS_AN_HOUR


@agent
def look() -> str:
    return "seen"


def job(oversight: Oversight | None = None) -> Job:
    made = Job("look", goal="Look at it", oversight=oversight)
    made.phase("look", agent=look)
    return made


def test_a_plan_has_the_alerts_an_hour_that_its_job_states() -> None:
    assert job().plan().alerts_an_hour == ALERTS_AN_HOUR
    assert job(Oversight(alerts_an_hour=2)).plan().alerts_an_hour == 2


def test_no_alerts_at_all_are_refused() -> None:
    with pytest.raises(InvalidJob, match=r"Oversight\(alerts_an_hour=0\) shows nothing; state 1 or more"):
        Oversight(alerts_an_hour=0)
