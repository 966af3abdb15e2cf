"""Whole runs that tell people: through a real receiver, answered with the token, by a person or never (O8)."""

import asyncio
import json
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from echelon import Brief, Job, Notify, agent
from echelon.cli.main import main
from echelon.definition.definition import NoInputs
from echelon.definition.rehearsal import Rehearsal, RehearsalJob
from echelon.engine.notify.couriers import (
    deliver_all,
    deliver_outbox,
    delivering_later,
    form_address,
    runs_to_tell_of,
)
from echelon.engine.run import RunOptions, run_job
from echelon.journal.journal import SqlJournal
from echelon.model.run import RunResult, RunStatus
from echelon.settings import Settings
from echelon.testing.receivers import HttpAnswer, HttpReceiver
from echelon.testing.run_events import run_record

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ECHELON_PICTURE", "false")
    return tmp_path / "home"


class World:
    """What happens outside: how often something was published."""

    def __init__(self) -> None:
        self.published = 0

    def job(self, *notify: Any, worried: bool = False) -> Job:
        @agent(effect="irreversible", preview=lambda: "publish the report")
        async def publish() -> str:
            self.published += 1
            return "published"

        @agent
        async def look(brief: Brief) -> str:
            """Look, and say what is odd."""
            if worried:
                brief.raise_concern("two totals differ", about="report.csv", confidence="low", impact="high")
            return "seen"

        job = Job("release", goal="Publish the report", notify=list(notify))
        job.phase("look", agent=look)
        if not worried:
            job.phase("publish", agent=publish, needs="look")
        return job


@pytest.fixture
def world() -> World:
    return World()


async def carry_out(job: Job, run_id: str = "release-1") -> RunResult:
    return await run_job(job, NoInputs(), RunOptions(run_id=run_id))


async def test_a_person_is_told_and_answers_with_the_token_and_the_run_goes_on(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    with HttpReceiver() as receiver:
        job = world.job(Notify.webhook(receiver.url))
        waiting = await carry_out(job)
        (message,) = receiver.messages
        token = message.body["tokens"][0]["token"]

        assert (waiting.status, world.published) == (RunStatus.WAITING, 0)
        assert "publish the report" in message.body["text"]
        assert message.body["text"].count(token) == 2, "approve and deny; it has no end, so nobody needs more time"
        code, said, _ = await answer(capsys, token, "approve", "--as", "mia", "--reason", "read it")
        ended = await carry_out(job)

    assert (code, said.partition(":")[0]) == (0, waiting.gates[0].id)
    assert (ended.status, world.published, len(receiver.messages)) == (RunStatus.COMPLETED, 1, 1)
    code, _, refused = await answer(capsys, token, "approve", "--as", "mia", "--reason", "once more")
    assert (code, "is on record as refused: answered before" in refused) == (2, True)


async def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Call `echelon answer`, in a thread that may have an event loop of its own."""
    capsys.readouterr()
    code = await asyncio.to_thread(main, ["answer", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


async def test_a_concern_that_a_person_must_see_is_told_while_the_run_goes_on(world: World) -> None:
    with HttpReceiver() as receiver:
        ended = await carry_out(world.job(Notify.webhook(receiver.url, shape="slack"), worried=True))

    assert ended.status is RunStatus.COMPLETED
    assert "two totals differ" in json.dumps(receiver.messages[0].body["blocks"])


async def test_a_receiver_that_fails_leaves_the_run_waiting_and_is_told_later(world: World, home: Path) -> None:
    with HttpReceiver(HttpAnswer(status=404), HttpAnswer()) as receiver:
        waiting = await carry_out(world.job(Notify.webhook(receiver.url)))
        assert waiting.status is RunStatus.WAITING
        assert [one.trigger for one in waiting.exceptions if one.trigger == "not_told"] == ["not_told"]

        async with SqlJournal.open(Settings()) as journal:
            (outcome,) = await deliver_all(journal, Settings())
            again = await deliver_outbox(journal, "release-1", Settings())

    assert (outcome.run_id, outcome.sent, outcome.left) == ("release-1", 1, ())
    assert (again.sent, again.left) == (0, ())
    assert len({message.key for message in receiver.messages}) == 1
    tokens = [message.body["tokens"][0]["token"] for message in receiver.messages]
    assert len(set(tokens)) == 2


async def test_who_serves_or_waits_goes_on_delivering(world: World) -> None:
    with HttpReceiver(HttpAnswer(status=404), HttpAnswer()) as receiver:
        await carry_out(world.job(Notify.webhook(receiver.url)))
        async with (
            asyncio.timeout(30),
            SqlJournal.open(Settings()) as journal,
            aclosing(journal.tail("release-1", kinds=("notification_sent",))) as sent,
            delivering_later(journal, Settings(), partial(runs_to_tell_of, journal)),
        ):
            await anext(sent)

    assert len(receiver.messages) == 2


async def test_a_run_inside_another_one_tells_through_its_channels(world: World) -> None:
    inner = world.job(worried=True)
    inner.notify = None
    with HttpReceiver() as receiver:
        outer = Job("outer", goal="Do it all", notify=[Notify.webhook(receiver.url)])
        outer.phase("inner", agent=inner)
        await run_job(outer, NoInputs(), RunOptions(run_id="outer-1"))

    told = [message.body["run_id"].partition("-")[0] for message in receiver.messages]
    assert sorted(told) == ["outer", "release"]


async def test_a_rehearsal_tells_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with HttpReceiver() as receiver:
        monkeypatch.setenv("ECHELON_NOTIFY", json.dumps([{"kind": "webhook", "url": receiver.url}]))
        rehearsal = Rehearsal(scale=0.0)
        job = RehearsalJob.of(world.job().plan(), rehearsal)
        await run_job(job, rehearsal, RunOptions(run_id="rehearsed"))

    assert receiver.messages == []


async def test_a_run_that_is_at_work_delivers_itself(world: World, home: Path) -> None:
    with HttpReceiver(HttpAnswer(status=404)) as receiver:
        await carry_out(world.job(Notify.webhook(receiver.url)))
        async with (
            SqlJournal.open(Settings()) as journal,
            SqlJournal.open(Settings()) as other,
            other.holding("release-1"),
        ):
            outcome = await deliver_outbox(journal, "release-1", Settings())

    assert outcome.elsewhere == "the process that is at work on the run delivers them"
    assert (len(outcome.left), len(receiver.messages)) == (1, 1)


async def test_a_machine_tells_for_jobs_that_say_nothing_and_a_job_can_say_no(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with HttpReceiver() as receiver:
        monkeypatch.setenv("ECHELON_NOTIFY", json.dumps([{"kind": "webhook", "url": receiver.url}]))
        silent = world.job()
        await carry_out(silent, "release-1")
        silent.notify = None
        await carry_out(silent, "release-2")

    assert [message.body["run_id"] for message in receiver.messages] == ["release-2"]


@pytest.mark.parametrize(
    ("api_url", "flow_run_id", "expected"),
    [
        ("http://127.0.0.1:4200/api", "f-1", "http://127.0.0.1:4200/runs/flow-run/f-1"),
        ("http://127.0.0.1:4200/api", None, ""),
        ("", "f-1", ""),
        ("https://api.prefect.cloud/api/accounts/a/workspaces/w", "f-1", ""),
    ],
)
def test_the_form_of_prefect_is_the_page_of_the_flow_run(
    api_url: str, flow_run_id: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREFECT_UI_URL", raising=False)

    assert form_address(run_record(flow_run_id=flow_run_id), api_url) == expected


def test_the_address_of_the_pages_can_be_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_UI_URL", "https://prefect.example/")

    found = form_address(run_record(flow_run_id="f-1"), "http://10.0.0.7:4200/api")
    assert found == "https://prefect.example/runs/flow-run/f-1"
