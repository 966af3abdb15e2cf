"""Four processes share the budget of a day, over real HTTP; one of them is killed (F10).

What a provider was asked for is what counts: the journal must have kept all of it within the budget, and what the
journal says was spent must be what the log of the runs says.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from echelon.journal.journal import SqlJournal
from echelon.model.adapter import JsonObject
from echelon.model.standing.claim import StandingBudget, WindowBooks
from echelon.model.standing.window import window_of
from echelon.model.usage import Budget, Usage
from echelon.settings import Settings
from echelon.testing.llm_server import Answer, LlmServer
from tests.chaos.conftest import Place

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]

PROCESSES = 4
ITEMS = 12
#: What each request has, unless the provider was told that the answer must be shorter.
READ, WRITTEN = 40, 160
EACH = READ + WRITTEN
#: Of 48 requests that are wanted, 20 fit.
TOKENS = 20 * EACH

#: A run that takes longer hangs, in seconds.
HANGS_SECONDS = 120


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def provider() -> Iterator[LlmServer]:
    """A provider whose answers end at the limit that they are asked for."""
    with LlmServer(Answer(body=_answered, delay_seconds=0.05)) as server:
        yield server


def _limit(request: JsonObject) -> int:
    stated = request.get("max_completion_tokens") or request.get("max_tokens")
    return WRITTEN if stated is None else min(WRITTEN, int(stated))


def _answered(request: JsonObject) -> bytes:
    written = _limit(request)
    usage = {"prompt_tokens": READ, "completion_tokens": written, "total_tokens": READ + written}
    message = {"role": "assistant", "content": "seen"}
    choice = {"index": 0, "finish_reason": "stop" if written == WRITTEN else "length", "message": message}
    answer = {"id": "1", "object": "chat.completion", "created": 0, "model": "local", "choices": [choice]}
    return json.dumps({**answer, "usage": usage}).encode()


def start(place: Place, home: Path, job: str, run: str, server: LlmServer) -> subprocess.Popen[bytes]:
    settings = {f"ECHELON_{name.upper()}": value for name, value in place.settings.items()}
    command = [sys.executable, "-m", "tests.chaos.standing.runner", job, run, server.url, str(ITEMS), str(TOKENS)]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "ECHELON_HOME": str(home), **settings})


def end(processes: Sequence[subprocess.Popen[bytes]]) -> list[int]:
    return [process.wait(HANGS_SECONDS) for process in processes]


def wait_for_requests(server: LlmServer, number: int) -> None:
    deadline = time.monotonic() + HANGS_SECONDS
    while len(server.requests) < number and time.monotonic() < deadline:
        time.sleep(0.005)


def sent(server: LlmServer) -> int:
    """Return what the provider was asked for and answered, in tokens."""
    return sum(READ + _limit(request) for request in server.requests)


async def books(place: Place, home: Path, job: str, runs: Sequence[str]) -> tuple[WindowBooks, Usage]:
    """Return the books of the day, and the sum of what the log of the runs says."""
    day = StandingBudget(budget=Budget(tokens=TOKENS, per="day"), window=window_of("day", datetime.now(UTC), UTC))
    async with SqlJournal.open(Settings(home=home, **place.settings)) as journal:
        steps = [step for run in runs for step in await journal.steps(run)]
        found = await journal.standing_books(job, (day,))
    return found[0], sum((step.handoff.usage for step in steps), Usage())


async def test_processes_share_the_budget_of_a_day_and_do_not_pass_it(
    place: Place, tmp_path: Path, provider: LlmServer
) -> None:
    runs = [f"share-{number}" for number in range(PROCESSES)]

    ended = end([start(place, tmp_path, "share", run, provider) for run in runs])
    found, logged = await books(place, tmp_path, "share", runs)

    assert ended == [0] * PROCESSES
    assert TOKENS - EACH < sent(provider) <= TOKENS + EACH
    assert found.spent.tokens == logged.tokens == sent(provider)
    assert found.spent.calls == logged.calls
    assert found.reserved.tokens == 0


async def test_a_killed_process_gives_back_what_it_had_reserved(
    place: Place, tmp_path: Path, provider: LlmServer
) -> None:
    """What was on its way when it was killed is in no log; everything else is, once, and the rest of it is used."""
    runs = [f"kill-{number}" for number in range(PROCESSES)]
    processes = [start(place, tmp_path, "kill", run, provider) for run in runs]
    await asyncio.to_thread(wait_for_requests, provider, 6)

    processes[0].kill()
    ended = end(processes)
    found, logged = await books(place, tmp_path, "kill", runs)
    again = end([start(place, tmp_path, "kill", runs[0], provider)])
    then, logged_then = await books(place, tmp_path, "kill", runs)

    assert ended[1:] == [0] * (PROCESSES - 1)
    assert again == [0]
    for one, log in ((found, logged), (then, logged_then)):
        assert one.spent.tokens == (log.tokens or 0)
        assert one.reserved.tokens == 0
        assert one.spent.tokens <= TOKENS + EACH
    # All of it is used, unless everything was done with answers that had to be shorter.
    assert then.spent.tokens > TOKENS - EACH or logged_then.calls >= PROCESSES * ITEMS
