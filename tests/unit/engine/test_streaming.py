"""A run seen from the program that runs it: its events, its id, its end; waited for without `async`; resumed."""

import asyncio
from pathlib import Path
from typing import NoReturn

import pytest
from pydantic import BaseModel, SecretStr

from echelon import AgentFailed, Job, Resilience, agent
from echelon.journal.journal import SqlJournal
from echelon.model.errors import InvalidInput
from echelon.model.run import RunRecord, RunStatus
from echelon.runlog.events import RunEnded, RunStarted, StepEnded
from echelon.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path))
    monkeypatch.setenv("ECHELON_PICTURE", "false")


class Words(BaseModel):
    words: list[str] = ["a", "b"]


asked: list[str] = []


@agent
async def count(item: str) -> int:
    """Count letters, unless it is a word that never ends."""
    asked.append(item)
    if item == "endless":
        await asyncio.Event().wait()
    return len(item)


words = Job("words", goal="Count letters", inputs=Words, max_concurrency=1)
words.phase("count", each=count, over=lambda words: words)


async def record(run_id: str) -> RunRecord:
    async with SqlJournal.open(Settings()) as journal:
        return await journal.run(run_id)


async def test_events_come_as_they_become_durable_and_end_with_the_run() -> None:
    async with words.stream(words=["a", "bb"]) as run:
        events = [event async for event in run]
        result = await run.result()

    assert {event.run_id for event in events} == {run.run_id} == {result.run_id}
    assert isinstance(events[0], RunStarted)
    assert isinstance(events[-1], RunEnded)
    ended = [event.record.handoff.task_id for event in events if isinstance(event, StepEnded)]
    assert ended == ["count/a", "count/bb"]
    assert result.output == {"count/a": 1, "count/bb": 2}


async def test_the_run_is_known_before_it_begins() -> None:
    run = words.stream()

    async with SqlJournal.open(Settings()) as journal:
        assert await journal.known_run(run_id=run.run_id) is None
    async with run:
        assert (await run.result()).run_id == run.run_id


async def test_a_loop_needs_no_block() -> None:
    kinds = [event.kind async for event in words.stream()]

    assert (kinds[0], kinds[-1]) == ("run_started", "run_ended")


async def test_whoever_leaves_the_block_early_stops_the_run_and_keeps_what_is_done() -> None:
    asked.clear()
    async with words.stream(words=["a", "endless"]) as run:
        async for event in run:
            if isinstance(event, StepEnded):
                break

    left = await record(run.run_id)
    assert (left.status, "a" in asked) == (RunStatus.INTERRUPTED, True)
    with pytest.raises(asyncio.CancelledError):
        await run.result()


async def test_whoever_leaves_a_loop_without_a_block_stops_the_run_too() -> None:
    events = aiter(run := words.stream(words=["a", "endless"]))
    async for event in events:
        if isinstance(event, StepEnded):
            break
    await events.aclose()  # which Python does by itself when nobody has the loop any more

    assert (await record(run.run_id)).status is RunStatus.INTERRUPTED


async def test_who_is_cancelled_while_following_a_run_leaves_it_with_its_end_on_record() -> None:
    run = words.stream(words=["endless"])
    begun = asyncio.Event()

    async def follow() -> None:
        async with run:
            async for event in run:
                if event.kind == "step_started":
                    begun.set()

    following = asyncio.create_task(follow())
    await begun.wait()
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following

    assert (await record(run.run_id)).status is RunStatus.INTERRUPTED


async def test_what_keeps_a_run_from_being_begun_is_raised_by_the_loop_and_by_the_result() -> None:
    def no_items() -> NoReturn:
        raise OSError("no such folder")

    job = Job("unplanned", goal="Count")
    job.phase("count", each=count, over=no_items)

    with pytest.raises(Exception, match="no such folder"):
        async for _ in job.stream():
            pass
    with pytest.raises(Exception, match="no such folder"):
        async with job.stream() as run:
            await run.result()


async def test_wrong_inputs_are_refused_before_there_is_a_run() -> None:
    with pytest.raises(InvalidInput, match="letters"):
        words.stream(letters=["a"])


async def test_a_stream_is_one_run_whose_events_are_read_once() -> None:
    run = words.stream()
    with pytest.raises(InvalidInput, match=r"is not begun: write `async with job.stream\(…\) as run:`"):
        await run.result()
    async with run:
        assert [event async for event in run]
        with pytest.raises(InvalidInput, match="are read already"):
            aiter(run)
    with pytest.raises(InvalidInput, match="was begun already"):
        async with run:
            pass


class Login(BaseModel):
    user: str
    password: SecretStr


failing: list[bool] = []


@agent
async def knock(user: str, password: SecretStr) -> str:
    """Say who is there."""
    if failing:
        raise AgentFailed("nobody is at home")
    return f"{user}:{len(password.get_secret_value())}"


doors = Job("doors", goal="Open", inputs=Login, defaults=Resilience(attempts=1))
doors.phase("knock", agent=knock)


async def test_a_run_is_resumed_with_the_inputs_on_record_and_the_secrets_that_are_not() -> None:
    failing.append(True)
    before = await doors.run(user="ann", password="abc")
    failing.clear()
    with pytest.raises(InvalidInput, match="parameter 'password' is a secret"):
        await doors.resume(before.run_id)
    after = await doors.resume(before.run_id[:-2], password="abc")

    assert (before.status, after.status, after.output) == (RunStatus.FAILED, RunStatus.COMPLETED, "ann:3")
    assert before.run_id == after.run_id


async def test_a_run_of_another_job_is_not_resumed() -> None:
    result = await words.run()

    with pytest.raises(InvalidInput, match=f"run '{result.run_id}' is one of job 'words', not of 'doors'"):
        await doors.resume(result.run_id, password="abc")
    with pytest.raises(InvalidInput, match="never"):
        await words.resume("never")


def test_a_script_waits_for_a_run_without_async() -> None:
    assert words.run_sync(words=["abc"]).output == {"count/abc": 3}


async def test_where_a_loop_runs_waiting_without_async_is_refused_with_what_to_write() -> None:
    with pytest.raises(InvalidInput, match=r"run_sync\(\) was called where an event loop is running.* `await job.run"):
        words.run_sync()
