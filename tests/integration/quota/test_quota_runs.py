"""F10: a quota that is used up in the middle of a run is waited for: no call before its reset, nothing done twice.

A real HTTP server, which counts what arrives while it is closed.
"""

import asyncio
import functools
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from echelon.model.breaker_news import Turn
from echelon.model.run import EXIT_CODES, RunStatus
from echelon.model.status import Status
from echelon.resilience.registry import BreakerRegistry
from echelon.testing.llm_server import LlmServer, says
from echelon.testing.quota_server import QuotaServer
from tests.integration.quota.quota_runs import AT_ONCE, FILES, asked, kinds, run_here

GOOD = says({"path": "a.py"})


@pytest.fixture(autouse=True)
def forget(monkeypatch) -> Callable[[], None]:
    """Let each run be one of a new process, which knows no breaker and no window but from the log."""

    def new_process() -> None:
        monkeypatch.setattr(BreakerRegistry, "_shared", {})

    new_process()
    return new_process


def in_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @functools.wraps(test)
    def run(**fixtures: Any) -> None:
        asyncio.run(test(**fixtures))

    return run


@in_a_loop
async def test_a_short_window_is_waited_for_in_the_process_and_the_result_is_that_of_an_undisturbed_run(tmp_path):
    with LlmServer(GOOD) as server:
        async with asked(server.url) as job:
            undisturbed = await run_here(job, tmp_path / "undisturbed")
    entries: list[Any] = []
    with QuotaServer(GOOD, requests=12, seconds=3) as server:
        async with asked(server.url) as job:
            result = await run_here(job, tmp_path / "home", watch=entries.extend)

    assert (result.status, result.output, result.missing) == (undisturbed.status, undisturbed.output, ())
    assert result.output == FILES
    assert 1 <= len(server.refused) <= AT_ONCE, "those under way when it closed, and no other"
    assert len(server.requests) == FILES + len(server.refused)
    assert kinds(entries).count("quota_closed") == 1
    assert {entry.event.limiter for entry in entries if entry.event.kind == "waited"} >= {"quota of openai"}
    turns = [entry.event.news.turn for entry in entries if entry.event.kind == "breaker_changed"]
    assert Turn.OPENED not in turns


@in_a_loop
async def test_a_long_one_ends_the_run_waiting_and_a_resumed_one_does_only_what_is_left(tmp_path, forget):
    with QuotaServer(GOOD, requests=12, seconds=3) as server:
        async with asked(server.url) as job:
            first = await run_here(job, tmp_path, wait_seconds=0)

            assert first.status is RunStatus.WAITING
            assert EXIT_CODES[first.status] == 4
            assert first.waiting is not None
            assert first.waiting.for_ == "quota of openai"
            assert first.waiting.until is not None
            assert len(server.requests) - len(server.refused) == 12
            assert len(server.refused) <= AT_ONCE
            assert len([one for one in first.missing if one.until]) == FILES - 12

            forget()
            before = len(server.requests)
            again = await run_here(job, tmp_path, first.run_id, wait_seconds=0)

            assert (again.status, again.waiting) == (RunStatus.WAITING, first.waiting)
            assert len(server.requests) == before, "a process that knows the window from the log does not call"

            forget()
            done = await run_here(job, tmp_path, first.run_id, wait_seconds=60)

    assert (done.status, done.output, done.waiting) == (RunStatus.COMPLETED, FILES, None)
    assert len(server.requests) - len(server.refused) == FILES, "nothing is asked twice"


@in_a_loop
async def test_the_log_says_what_is_waited_for_and_no_retry_is_made(tmp_path):
    entries: list[Any] = []
    with QuotaServer(GOOD, requests=0, seconds=600) as server:
        async with asked(server.url) as job:
            await run_here(job, tmp_path, watch=entries.extend)
    steps = [entry.event.record.handoff for entry in entries if entry.event.kind == "step_ended"]
    (closed,) = [entry.event for entry in entries if entry.event.kind == "quota_closed"]

    assert closed.window.dependency == "openai"
    assert "x-ratelimit-reset-requests" in closed.window.said
    assert Counter(step.status for step in steps) == {Status.BLOCKED: FILES}
    assert {step.error.kind for step in steps} == {"QuotaExhausted"}
    assert {step.error.until for step in steps} == {closed.window.until}
    assert max(step.attempts for step in steps) == 1
    assert len(server.requests) <= AT_ONCE
