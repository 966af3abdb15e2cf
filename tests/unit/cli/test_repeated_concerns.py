"""What a job raises every night is listed once, with its count, and can be ended at once."""

import asyncio
import contextlib
import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from echelon.journal.journal import SqlJournal
from echelon.model.concern import Concern, ConcernRecord
from echelon.model.run import RunRecord, RunStatus
from echelon.runlog.events import ConcernRaised, RunStarted
from echelon.settings import Settings

FIRST = datetime(2026, 1, 31, 3, tzinfo=UTC)

STALE = Concern(about="prices.csv", message="it is older than a week", confidence=0.9, impact=0.3)
URGENT = Concern(about="orders.csv", message="it is empty", confidence=0.9, impact=0.9)

#: job, night, what was raised, by id.
RAISED = [
    ("nightly", 1, {"a1": STALE}),
    ("nightly", 2, {"a2": STALE.model_copy(update={"confidence": 0.8}), "b1": URGENT}),
    ("nightly", 3, {"a3": STALE, "a4": STALE}),
    ("weekly", 2, {"c1": STALE}),
    ("nightly", 4, {"d1": STALE.model_copy(update={"impact": 0.9})}),
]


@pytest.fixture
def nights(home: Path) -> None:
    async def record() -> None:
        async with SqlJournal.open(Settings(home=home)) as journal:
            for job, night, concerns in RAISED:
                at, run_id = FIRST + timedelta(days=night), f"{job}-{night}"
                run = RunRecord(run_id=run_id, job=job, source="", inputs={}, status=RunStatus.RUNNING, started=at)
                await journal.append(RunStarted(run_id=run_id, at=at, record=run))
                for number, (name, concern) in enumerate(concerns.items()):
                    when = at + timedelta(seconds=number)
                    raised = ConcernRecord(id=name, run_id=run_id, source="look", concern=concern, at=when)
                    await journal.append(ConcernRaised(run_id=run_id, at=when, record=raised))

    asyncio.run(record())


def listed(echelon, *options: str) -> list[str]:
    """The ids that begin a line, in their order."""
    return [
        line.split()[0]
        for line in echelon("concerns", *options).out.splitlines()
        if not line.startswith((" ", "end one"))
    ]


def test_what_says_the_same_in_runs_of_one_job_is_one_line_with_its_last_run(echelon, nights):
    said = echelon("concerns").out

    assert listed(echelon) == ["d1", "b1", "a4", "c1"]
    assert "job nightly, run nightly-3, 4 times in 3 runs" in said
    assert said.count("it is older than a week") == 3, "another job, and another route, are other concerns"


def test_what_was_raised_once_has_no_count(echelon, nights):
    assert "job weekly, run weekly-2, confidence 0.90" in echelon("concerns").out


def test_the_document_has_every_concern_with_its_job_and_count(echelon, nights):
    found = json.loads(echelon("concerns", "--json").out)["concerns"]

    assert [(one["id"], one["job"], one["count"]) for one in found] == [
        ("d1", "nightly", 1),
        ("b1", "nightly", 1),
        ("a4", "nightly", 4),
        ("a3", "nightly", 4),
        ("a2", "nightly", 4),
        ("a1", "nightly", 4),
        ("c1", "weekly", 1),
    ]


def test_of_one_run_only_its_own_are_counted(echelon, nights):
    assert "2 times in 1 run," in echelon("concerns", "--run", "nightly-3").out


def test_one_is_ended_alone_and_the_others_are_named(echelon, nights):
    said = echelon("concerns", "dispose", "a4", "--as", "accepted", "--reason", "planned", "--by", "Ann").out

    assert "a4: accepted by Ann\n" in said
    assert "3 open concerns of this job with the same text left; --repeats ends them together" in said
    assert listed(echelon) == ["d1", "b1", "a3", "c1"]


def test_all_that_say_the_same_are_ended_at_once_each_on_record(echelon, nights):
    ended = ["--as", "accepted", "--reason", "planned", "--by", "Ann", "--repeats"]
    said = echelon("concerns", "dispose", "a2", *ended).out
    kept = json.loads(echelon("concerns", "--all", "--json").out)["concerns"]

    assert "a2: accepted by Ann, and 3 that said the same" in said
    assert listed(echelon) == ["d1", "b1", "c1"]
    reasons = {one["id"]: one["disposition"]["reason"] for one in kept if one["disposition"]}
    assert reasons == dict.fromkeys(("a1", "a2", "a3", "a4"), "planned")


def test_one_concern_says_how_often_it_was_raised(echelon, nights):
    said = echelon("concerns", "show", "a1").out

    assert "in run nightly-1\n" in said
    assert "job         nightly" in said
    assert "4 times in 3 runs" in said


def test_a_run_whose_row_is_damaged_hides_no_concern(echelon, nights, home):
    with contextlib.closing(sqlite3.connect(home / "journal.db")) as journal:
        journal.execute("UPDATE runs SET inputs = '{' WHERE run_id = 'nightly-1'")
        journal.commit()

    assert "a1" in listed(echelon)
    assert "a4" in listed(echelon)
    assert "raised" in echelon("concerns", "show", "a1").out
