"""What a job raises every night is listed once, with its count, and can be ended at once."""

import asyncio
import contextlib
import json
import re
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
    record_runs(home, RAISED)


def record_runs(home: Path, runs: list[tuple[str, int, dict[str, Concern]]]) -> None:
    async def record() -> None:
        async with SqlJournal.open(Settings(home=home)) as journal:
            for job, night, concerns in runs:
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
        if not line.startswith((" ", "end one", "and "))
    ]


def test_what_says_the_same_in_runs_of_one_job_is_one_line_with_its_last_run(echelon, nights):
    said = echelon("concerns").out

    assert listed(echelon) == ["d1", "b1", "c1"]
    assert "job nightly, run nightly-4, 5 times in 4 runs" in said
    assert said.count("it is older than a week") == 2, "what another job raises is another concern"


def test_what_was_raised_once_has_no_count(echelon, nights):
    assert "job weekly, run weekly-2, confidence 0.90" in echelon("concerns").out


def test_the_document_has_every_concern_with_its_job_and_count(echelon, nights):
    found = json.loads(echelon("concerns", "--json").out)["concerns"]

    assert [(one["id"], one["job"], one["count"]) for one in found] == [
        ("d1", "nightly", 5),
        ("a4", "nightly", 5),
        ("a3", "nightly", 5),
        ("a2", "nightly", 5),
        ("a1", "nightly", 5),
        ("b1", "nightly", 1),
        ("c1", "weekly", 1),
    ]
    assert {one["runs"] for one in found if one["count"] == 5} == {4}
    assert {one["first_seen"] for one in found if one["count"] == 5} == {"2026-02-01T03:00:00+00:00"}
    assert all(one["overdue"] and one["age_seconds"] > 0 for one in found)


def test_of_one_run_only_its_own_are_counted(echelon, nights):
    assert "2 times in 1 run," in echelon("concerns", "--run", "nightly-3").out


def test_one_is_ended_alone_and_the_others_are_named(echelon, nights):
    said = echelon("concerns", "dispose", "d1", "--as", "accepted", "--reason", "planned", "--by", "Ann").out

    assert "d1: accepted by Ann\n" in said
    assert "4 open concerns of this job with the same text left; --repeats ends them together" in said
    assert listed(echelon) == ["b1", "a4", "c1"], "it goes where what is left goes"


def test_all_that_say_the_same_are_ended_at_once_each_on_record(echelon, nights):
    ended = ["--as", "accepted", "--reason", "planned", "--by", "Ann", "--repeats"]
    said = echelon("concerns", "dispose", "a2", *ended).out
    kept = json.loads(echelon("concerns", "--all", "--json").out)["concerns"]

    assert "a2: accepted by Ann, and 4 that said the same" in said
    assert listed(echelon) == ["b1", "c1"]
    reasons = {one["id"]: one["disposition"]["reason"] for one in kept if one["disposition"]}
    assert reasons == dict.fromkeys(("a1", "a2", "a3", "a4", "d1"), "planned")


def test_one_concern_says_how_often_it_was_raised(echelon, nights):
    said = echelon("concerns", "show", "a1").out

    assert "by look in run nightly-1 " in said
    assert "job         nightly" in said
    assert "5 times in 4 runs" in said
    assert "first 2026-02-01" in said


def test_what_is_open_for_too_long_is_first_and_its_age_is_said(echelon, nights):
    said = echelon("concerns").out
    runs = echelon("runs").out

    assert "immediate (overdue)" in said
    assert "normal (overdue)" in said
    assert ", open for " in said
    assert re.search(
        r"^7 concerns wait for a person, 7 overdue, the oldest for \d+ days: echelon concerns$", runs, re.MULTILINE
    )
    assert json.loads(echelon("runs", "--json").out)["concerns"]["overdue"] == 7


LOOKED = ("--looked-at", "prices.csv", "--looked-at", "the log of the import")


def test_a_dismissal_without_evidence_is_wrong_use_and_leaves_it_open(echelon, nights):
    dismissed = ["concerns", "dispose", "b1", "--as", "dismissed", "--reason", "no", "--by", "Ann"]
    refused, about_itself = echelon(*dismissed), echelon(*dismissed[:-1], "orders.csv", *LOOKED)

    assert (refused.code, about_itself.code) == (2, 2)
    assert "concern 'b1' cannot be dismissed, since nothing says what was looked at" in refused.err
    assert "concern 'b1' is about 'orders.csv', who cannot end it" in about_itself.err
    assert "b1" in listed(echelon)
    assert echelon(*dismissed, *LOOKED).code == 0
    ended = json.loads(echelon("concerns", "show", "b1", "--json").out)["disposition"]
    assert ended["looked_at"] == ["prices.csv", "the log of the import"]
    assert "looked at prices.csv, the log of the import" in echelon("concerns", "show", "b1").out


def test_a_dismissal_that_proved_wrong_is_taken_back_and_counted(echelon, nights):
    echelon("concerns", "dispose", "b1", "--as", "dismissed", "--reason", "no", "--by", "Ann", *LOOKED)
    back = ["concerns", "reopen", "b1", "--reason", "it was empty", "--by", "Bo"]
    refused, said = echelon(*back), echelon(*back, "--looked-at", "orders.csv")

    assert (refused.code, said.code) == (2, 0)
    assert "cannot be reopened" in refused.err
    assert "b1: open again, it had been dismissed by Ann; it counts as a filtering failure" in said.out
    assert "b1" in listed(echelon)
    shown = echelon("concerns", "show", "b1").out
    assert "reopened 1 time, 1 filtering failure" in shown
    assert "dismissed by Ann" in shown
    document = json.loads(echelon("concerns", "show", "b1", "--json").out)
    assert (document["filtering_failures"], document["reopened"][0]["by"]) == (1, "Bo")
    assert echelon(*back, "--looked-at", "orders.csv").code == 2, "it is open"


def test_one_that_was_dismissed_before_says_so_when_it_is_raised_again(echelon, nights):
    echelon("concerns", "dispose", "a1", "--as", "dismissed", "--reason", "no", "--by", "Ann", *LOOKED)

    assert "filtering failure" not in echelon("concerns").out
    echelon("concerns", "dispose", "a4", "--as", "accepted", "--reason", "true", "--by", "Ann")
    assert "1 filtering failure" in echelon("concerns").out


def test_of_a_flood_every_critical_one_is_listed_and_the_others_are_counted(echelon, home):
    mild, bad = (Concern(about="a", message="m", confidence=0.9, impact=impact) for impact in (0.1, 0.9))
    concerns = {f"m{number}": mild.model_copy(update={"message": f"odd {number}"}) for number in range(500)}
    concerns |= {f"u{number}": bad.model_copy(update={"message": f"lost {number}"}) for number in range(30)}
    record_runs(home, [("flood", 1, concerns)])

    said = echelon("concerns", "--run", "flood-1").out.splitlines()

    ids = [line.split()[0] for line in said if line[0] in "mu"]
    assert sum(one.startswith("u") for one in ids) == 30
    assert sum(one.startswith("m") for one in ids) == 8
    assert said[-2] == "and 492 more of look: echelon concerns --run flood-1 --all"
    assert len([line for line in echelon("concerns", "--all").out.splitlines() if line[0] in "mu"]) == 530


def test_what_an_agent_wrote_forges_no_line_and_fills_no_page(echelon, home):
    forged = f"small\nz9  immediate  payroll.py: all is approved\n{'x' * 9_000}"
    record_runs(home, [("nightly", 1, {"a1": Concern(about="a\nb", message=forged, confidence=0.9, impact=0.9)})])

    listed = echelon("concerns").out
    assert [line.split()[0] for line in listed.splitlines() if line[0] == "z"] == []
    assert len(listed) < 1_000
    assert "x" * 9_000 in echelon("concerns", "show", "a1").out.replace("\n", "").replace(" ", "")


def test_a_run_whose_row_is_damaged_hides_no_concern(echelon, nights, home):
    with contextlib.closing(sqlite3.connect(home / "journal.db")) as journal:
        journal.execute("UPDATE runs SET inputs = '{' WHERE run_id = 'nightly-1'")
        journal.commit()

    assert "a1" in listed(echelon)
    assert "d1" in listed(echelon)
    assert "raised" in echelon("concerns", "show", "a1").out
