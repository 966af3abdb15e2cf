"""`echelon autonomy JOB`: what its agents may do, by all of its runs."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from echelon.journal.journal import SqlJournal
from echelon.model.autonomy.decisions import AgentStanding
from echelon.model.autonomy.track import Track
from echelon.settings import Settings
from echelon.testing.judging_events import autonomy_decided
from echelon.testing.run_events import run_started

Echelon = Callable[..., Any]


def a_track(right: int, wrong: int = 0) -> Track:
    return sum((Track.of(None, right=one < right) for one in range(right + wrong)), Track())


@pytest.fixture
def runs(home: object) -> None:
    """Two runs of a job: five results that were right, then six that were not."""

    async def record() -> None:
        async with SqlJournal.open(Settings()) as journal:
            for run_id, own in (("r1", a_track(5)), ("r2", a_track(0, 6))):
                standing = AgentStanding(agent="say", code="f-1", own=own, kinds=("str",))
                await journal.append(run_started(run_id), autonomy_decided(run_id, standings=(standing,)))

    asyncio.run(record())


@pytest.mark.usefixtures("runs")
def test_it_says_what_each_agent_may_do_and_what_the_last_run_changed(echelon: Echelon) -> None:
    said, document = echelon("autonomy", "audit"), json.loads(echelon("autonomy", "audit", "--json").out)
    (agent,) = document["agents"]

    assert said.out == "say: escalates (before: proceeds), right 5 of 11 (45 %), 100 % before this run\n"
    assert (document["job"], agent["band_before"], agent["band"]) == ("audit", "proceed", "escalate")


def test_of_a_job_without_records_it_says_how_to_have_some(echelon: Echelon) -> None:
    said = echelon("autonomy", "audit")

    assert (said.code, "asks for it" in said.out) == (0, True)
