"""Journals that older versions wrote are opened, read and gone on with: what they say is what they said then.

Each `tests/data/journals/<revision>.sql` is one of them, with runs that went well, failed, were killed, taken up again,
and waited for a person; the `.json` beside one is what the version that wrote it showed of them.
"""

import json
import sqlite3
from contextlib import closing
from copy import deepcopy
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import column, insert, table, text
from sqlalchemy.ext.asyncio import create_async_engine

from echelon.journal.dialects import parse_url
from echelon.journal.journal import SqlJournal
from echelon.journal.migrate import MIGRATIONS
from echelon.model.concern import Route
from echelon.model.run import RunStatus
from echelon.oversight.gates.answering import answer_gate
from echelon.oversight.gates.answers import AnswerWish
from echelon.runlog.state import fold
from echelon.runlog.view import view_of
from echelon.settings import Settings
from echelon.testing.run_events import run_ended, run_started, step_started

pytestmark = pytest.mark.anyio

JOURNALS = Path(__file__).parents[2] / "data" / "journals"
REVISIONS = sorted(file.stem for file in JOURNALS.glob("*.sql"))

#: What a version showed and this one shows differently, for a reason.
CHANGED = {"claims", "sessions", "record", "steps"}

RUNS = json.loads((JOURNALS / "0002.json").read_text(encoding="utf-8"))


def dumped(revision):
    connection = sqlite3.connect(":memory:")
    connection.executescript((JOURNALS / f"{revision}.sql").read_text(encoding="utf-8"))
    return connection


async def lay_down(url, revision, upto):
    """Make a journal of a revision on a server, with the rows of a dump that it has columns for."""
    engine = create_async_engine(parse_url(url))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))

    def write(connection):
        config.attributes["connection"] = connection
        command.upgrade(config, upto)
        with closing(dumped(revision)) as source:
            for name in ("runs", "sessions", "claims", "steps", "exceptions", "concerns", "dispositions", "events"):
                copy(source, connection, name)

    try:
        async with engine.begin() as connection:
            await connection.run_sync(write)
    finally:
        await engine.dispose()


def copy(source, connection, name):
    kinds = dict(connection.execute(text(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = :name"
    ), {"name": name}).all())  # fmt: skip
    found = source.execute(f"SELECT * FROM {name}")
    names = [each[0] for each in found.description]
    shared = [each for each in names if each in kinds]
    rows = [
        {each: bool(row[each]) if kinds[each] == "boolean" else row[each] for each in shared}
        for row in (dict(zip(names, values, strict=True)) for values in found)
    ]
    if rows and shared:
        connection.execute(insert(table(name, *map(column, shared))), rows)
    if "number" in kinds:
        connection.execute(text(f"SELECT setval('{name}_number_seq', {len(rows) + 1})"))


@pytest.fixture(params=["sqlite", "postgresql"])
async def old(request, tmp_path):
    """An old journal on both databases, as its version left it."""
    home = tmp_path / "home"
    if request.param == "sqlite":
        home.mkdir()
        with closing(dumped("0002")) as source, closing(sqlite3.connect(home / "journal.db")) as target:
            source.backup(target)
        return Settings(home=home)
    url = request.getfixturevalue("blank")
    await lay_down(url, "0002", "0002")
    return Settings(home=home, journal_url=url)


@pytest.fixture
async def journal(old):
    async with SqlJournal.open(old) as opened:
        yield opened


#: What records of concerns have now, as those say it that are older.
OF_CONCERNS = {
    "step": "",
    "task_id": "",
    "route_reasons": [],
    "lead": "",
    "line": "person",
    "about_nodes": [],
    "dismissed_before": 0,
    "reopened": [],
}


async def events_of(journal, run_id):
    return [logged.event for logged in await journal.events(run_id)]


async def test_every_run_is_there_in_its_order(journal):
    assert [record.run_id for record in reversed(await journal.runs())] == list(RUNS)


@pytest.mark.parametrize("run_id", RUNS)
async def test_a_run_is_shown_as_it_was_shown_then(journal, run_id):
    expected, state = deepcopy(RUNS[run_id]), fold(await events_of(journal, run_id))
    shown = json.loads(view_of(state, read=lambda _reference: None).model_dump_json())
    for concern in shown["concerns"]:
        assert {name: concern.pop(name) for name in OF_CONCERNS} == OF_CONCERNS  # not known then
        assert concern.pop("route") in set(Route)  # as its weights say
        if concern["disposition"] is not None:
            assert concern["disposition"].pop("looked_at") == []
            assert concern["disposition"].pop("counts") == ""
    for exception in shown["exceptions"]:
        assert (exception.pop("about"), exception.pop("tasks")) == ("", [])
    for missing in shown["missing"]:
        assert missing.pop("over_limit") is False  # not known then
        assert missing.pop("until") is None
        assert missing.pop("next_step") == ""
        assert missing.pop("follows") is missing["reason"].startswith("needs ")
    if expected["record"]["finished"] is None:  # until now, then; until the last that is on record, now
        assert shown["measures"].pop("seconds") <= expected["measures"].pop("seconds")

    for measures in (shown["measures"], expected["measures"]):
        measures.pop("coordination_ratio")  # more counts as coordination now: rework, reading, waits for coordinators
    shown["measures"] = {name: shown["measures"][name] for name in expected["measures"]}  # some are newer
    compared = expected.keys() - CHANGED
    assert {name: shown[name] for name in compared} == {name: expected[name] for name in compared}
    assert shown["record"].items() >= expected["record"].items()
    assert len(shown["steps"]) == expected["steps"]


@pytest.mark.parametrize("run_id", RUNS)
async def test_the_index_of_runs_says_what_the_fold_says(journal, run_id):
    events = await events_of(journal, run_id)

    assert fold(events).record == await journal.run(run_id)
    assert [events[0].kind, "run_started" in [event.kind for event in events[1:]]] == ["run_started", False]


@pytest.mark.parametrize("run_id", RUNS)
async def test_what_was_begun_in_the_world_outside_is_known(journal, run_id):
    state, expected = fold(await events_of(journal, run_id)), RUNS[run_id]

    assert [json.loads(intent.model_dump_json(exclude={"gate_id"})) for intent in state.intents.values()] == expected[
        "claims"
    ]
    assert state.token == len(expected["sessions"])


@pytest.mark.parametrize("run_id", RUNS)
async def test_what_was_completed_is_found_and_not_done_again(journal, run_id):
    steps = await journal.steps(run_id)

    for step in steps:
        if step.handoff.done:
            assert await journal.find_completed_step(step.key, run_id=run_id) == step
    for phase in {step.phase for step in steps}:
        assert await journal.steps(run_id, phase) == tuple(step for step in steps if step.phase == phase)


async def test_the_killed_run_is_taken_and_gone_on_with(journal):
    before = len(await journal.events("killed"))
    async with journal.holding("killed") as lease:
        await journal.append(step_started(run_id="killed"), run_ended("killed"))
    [taken, *_] = [logged.event for logged in await journal.events("killed", after=before)]

    assert lease.session.token == 2
    assert taken.idle_since.isoformat().replace("+00:00", "Z") == RUNS["killed"]["sessions"][0]["seen"]
    assert fold(await events_of(journal, "killed")).record == await journal.run("killed")


async def test_new_runs_and_concerns_come_behind_the_old_ones(journal):
    await journal.append(run_started("new"))

    assert (await journal.runs(1))[0].run_id == "new"
    assert [concern.id for concern in await journal.concerns()] == [
        concern["id"] for run in RUNS.values() for concern in run["concerns"]
    ]


async def test_a_person_disposes_of_an_old_concern_once(journal):
    disposed, still_open = (await journal.concerns("whole"))[:2]

    assert disposed.disposition is not None
    assert disposed.disposition.author == "mia"
    assert still_open.id in {concern.id for concern in await journal.concerns("whole", open_only=True)}


async def test_a_journal_of_the_first_revision_is_brought_over_too(blank, tmp_path):
    """It had neither sessions nor claims."""
    await lay_down(blank, "0002", "0001")

    async with SqlJournal.open(Settings(home=tmp_path, journal_url=blank)) as journal:
        for run_id in RUNS:
            kinds = {event.kind for event in await events_of(journal, run_id)}

            assert kinds.isdisjoint({"run_taken", "effect_intended"})
            assert len(await journal.steps(run_id)) == RUNS[run_id]["steps"]


@pytest.fixture
def changed(tmp_path):
    """An old journal in a file that a test changes before it is opened."""
    with closing(dumped("0002")) as source, closing(sqlite3.connect(tmp_path / "journal.db")) as target:
        source.backup(target)
        yield target


async def test_a_journal_that_is_longer_than_what_is_moved_at_one_time_comes_over_whole(changed, tmp_path):
    [(record,)] = changed.execute("SELECT record FROM steps WHERE run_id = 'killed' LIMIT 1")
    key, count = json.loads(record)["key"], 1300
    for number in range(count):
        values = (f"{number:064}", f"n{number}", record.replace(key, f"{number:064}"))
        changed.execute(
            "INSERT INTO steps (run_id, key, phase, node, status, record) "
            "VALUES ('killed', ?, 'send', ?, 'completed', ?)",
            values,
        )
    changed.commit()

    async with SqlJournal.open(Settings(home=tmp_path)) as journal:
        logged = await journal.events("killed")
        steps = await journal.steps("killed")

    assert [each.seq for each in logged] == list(range(1, len(logged) + 1))
    assert [step.key for step in steps[-count:]] == [f"{number:064}" for number in range(count)]
    assert len(steps) == RUNS["killed"]["steps"] + count


async def test_clocks_that_disagreed_change_the_order_of_nothing_that_had_one(changed, tmp_path):
    """Machines take a run over from one another, and people dispose of its concerns on yet another one."""
    before = [key for (key,) in changed.execute("SELECT key FROM steps WHERE run_id = 'whole' ORDER BY number")]
    raised = [name for (name,) in changed.execute("SELECT id FROM concerns WHERE run_id = 'whole' ORDER BY number")]
    for name in ("steps", "concerns", "dispositions"):
        which = "number % 2 = 0" if name != "dispositions" else "1"
        changed.execute(f'UPDATE {name} SET record = replace(record, \'"at":"2026\', \'"at":"2019\') WHERE {which}')
        changed.execute(
            f'UPDATE {name} SET record = replace(record, \'"finished":"2026\', \'"finished":"2019\') WHERE {which}'
        )
    changed.commit()

    async with SqlJournal.open(Settings(home=tmp_path)) as journal:
        state = fold(await events_of(journal, "whole"))

        assert [step.key for step in await journal.steps("whole")] == before
        assert list(state.concerns) == raised
        assert state.concerns[raised[0]].disposition is not None
        assert tuple(state.concerns.values()) == await journal.concerns("whole")
        assert state.record == await journal.run("whole")


@pytest.mark.parametrize("revision", REVISIONS)
async def test_every_recorded_journal_can_be_folded(revision, tmp_path):
    """A kind of event that was released is read for good."""
    with closing(dumped(revision)) as source, closing(sqlite3.connect(tmp_path / "journal.db")) as target:
        source.backup(target)

    async with SqlJournal.open(Settings(home=tmp_path)) as journal:
        for record in await journal.runs(1000):
            events = await events_of(journal, record.run_id)

            assert fold(events).record == await journal.run(record.run_id)
            assert await journal.steps(record.run_id) == fold(events).steps


async def test_what_waited_for_a_person_then_waits_still_and_is_answered_now(tmp_path):
    """A pause survives the upgrade: the gate with all that was asked, the answers that were given, what counts."""
    with closing(dumped("0008")) as source, closing(sqlite3.connect(tmp_path / "journal.db")) as target:
        source.backup(target)

    async with SqlJournal.open(Settings(home=tmp_path)) as journal:
        waits, answered = await journal.gates()
        again = AnswerWish(verdict="deny", author="tom", reason="too much")
        said = {gate.run_id: await answer_gate(journal, gate.id, again) for gate in (waits, answered)}

        assert {one.run_id: one.status for one in await journal.runs()} == dict.fromkeys(said, RunStatus.WAITING)
        assert (waits.is_open, waits.action.preview, waits.terms.approvers) == (
            True,
            "transfer 82,000 to ACME",
            ("mia", "tom"),
        )
        assert [one.task_id for one in waits.action.inputs] == ["check/check"]
        assert [(one.author, one.refused) for one in answered.answers] == [
            ("ben", "ben may not answer it; mia, tom may"),
            ("mia", ""),
        ]
        assert said["waits"].counts
        assert said["answered"].answer.refused.startswith("answered before: approve by mia at 2026-")
        assert [gate.is_open for gate in await journal.gates()] == [False, False]
