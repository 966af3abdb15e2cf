"""Jobs whose models are asked over real HTTP, by a provider that fails in every way providers do (F1, F3, F4)."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from echelon import Resilience, agent
from echelon.agents.model import model_agent
from echelon.coordination.job_run import run_phases
from echelon.engine.run import RunOptions, finish, prepare_run
from echelon.model.handoff import Handoff
from echelon.settings import Settings
from echelon.testing.faults import (
    after,
    after_date,
    after_milliseconds,
    calls,
    half_a_body,
    overloaded,
    rate_limited,
    resets,
    slow_first_byte,
    stalls_for_ever,
    unavailable,
)
from echelon.testing.llm_server import Answer, LlmServer, babbles, hangs_up, refuses
from echelon.testing.runs import a_run
from tests.integration.providers import (
    GOOD,
    IMPATIENT,
    KEY,
    QUICK,
    Files,
    Finding,
    asking,
    inspecting,
    of_paths,
    story_of,
)

pytestmark = pytest.mark.anyio

# What passes is waited for and asked again


@pytest.mark.parametrize(
    ("headers", "at_least"),
    [
        (after(1), 1.0),
        (after("0.3"), 0.3),
        (after_milliseconds(250), 0.25),
        (after("soon"), 0.0),
        (after(-5), 0.0),
        (after("nan"), 0.0),
        ({}, 0.0),
    ],
    ids=["F3-seconds", "F3-float", "F3-ms", "F3-garbage", "F3-negative", "F3-nan", "F3-none"],
)
async def test_a_rate_limit_is_waited_out_as_long_as_it_says(
    tmp_path: Path, headers: dict[str, str], at_least: float
) -> None:
    story = await story_of(tmp_path, rate_limited(headers), GOOD)

    assert (story.handoff.done, story.handoff.attempts, story.requests) == (True, 2, 2)
    assert story.waits[0] >= at_least


async def test_a_rate_limit_in_milliseconds_wins_over_the_less_exact_one_beside_it(tmp_path: Path) -> None:
    both = after(60) | {"retry-after-ms": "250"}

    story = await story_of(tmp_path, rate_limited(both), GOOD)

    assert (story.handoff.done, story.requests) == (True, 2)
    assert 0.25 <= story.waits[0] < 60


async def test_a_rate_limit_that_names_a_moment_is_waited_out_until_then(tmp_path: Path) -> None:
    moment = (datetime.now(UTC) + timedelta(seconds=3)).replace(microsecond=0)  # HTTP has whole seconds only

    story = await story_of(tmp_path, rate_limited(after_date(0, now=moment)), GOOD)

    assert (story.handoff.done, story.requests) == (True, 2)
    assert story.last_request_at >= moment


async def test_a_provider_that_wants_more_patience_than_anybody_has_is_not_asked_again(tmp_path: Path) -> None:
    story = await story_of(tmp_path, rate_limited(after(121)), GOOD)

    assert (story.handoff.done, story.requests) == (False, 1)


@pytest.mark.parametrize(
    ("fault", "defaults"),
    [
        (unavailable(), QUICK),
        (overloaded(), QUICK),
        (hangs_up(), QUICK),
        (half_a_body(), QUICK),
        (resets(), QUICK),
        (babbles(), QUICK),
        (slow_first_byte(60), IMPATIENT),
        (stalls_for_ever(), IMPATIENT),
    ],
    ids=["F3-503", "F3-529", "F3-hangs-up", "F3-half", "F3-reset", "F3-no-json", "F4-slow", "F4-stalled"],
)
async def test_a_fault_that_passes_costs_one_more_attempt(tmp_path: Path, fault: Answer, defaults: Resilience) -> None:
    story = await story_of(tmp_path, fault, GOOD, defaults=defaults)

    assert (story.handoff.done, story.handoff.attempts, story.requests) == (True, 2, 2)
    assert story.handoff.usage.calls == 2
    assert story.handoff.usage.tokens == 15


async def test_an_answer_that_comes_in_time_is_no_fault(tmp_path: Path) -> None:
    story = await story_of(tmp_path, slow_first_byte(0.1, GOOD))

    assert (story.handoff.done, story.handoff.attempts, story.requests) == (True, 1, 1)


async def test_a_provider_that_stays_down_is_asked_as_often_as_told_and_no_more(tmp_path: Path) -> None:
    story = await story_of(tmp_path, unavailable())

    assert (story.handoff.done, story.handoff.attempts, story.requests) == (False, 3, 3)
    assert story.handoff.error is not None
    assert story.handoff.error.can_pass


@pytest.mark.parametrize("fault", [rate_limited(), unavailable(), half_a_body(), resets()])
async def test_who_is_told_to_try_once_tries_once(tmp_path: Path, fault: Answer) -> None:
    story = await story_of(tmp_path, fault, GOOD, defaults=Resilience(attempts=1))

    assert (story.handoff.done, story.requests) == (False, 1)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_what_cannot_pass_is_not_asked_again(tmp_path: Path, status: int) -> None:
    story = await story_of(tmp_path, refuses(status), GOOD)

    assert (story.handoff.done, story.requests) == (False, 1)


@pytest.mark.parametrize(
    "fault",
    [
        refuses(413, message="Request too large"),
        refuses(400, message="This model's maximum context length is 8192 tokens"),
        refuses(400, message="prompt is too long: 210000 tokens > 200000 maximum"),
    ],
    ids=["F3-413", "F3-context", "F3-prompt"],
)
async def test_what_is_too_long_is_as_long_the_next_time(tmp_path: Path, fault: Answer) -> None:
    story = await story_of(tmp_path, fault, GOOD)

    assert (story.handoff.done, story.handoff.attempts, story.requests) == (False, 1, 1)
    assert story.handoff.error is not None
    assert not story.handoff.error.can_pass


@pytest.mark.parametrize(
    ("fault", "requests"),
    [
        (rate_limited({"x-should-retry": "false"}), 1),
        (unavailable({"x-should-retry": "false"}), 1),
        (refuses(400, headers={"x-should-retry": "true"}), 2),
        (refuses(409, headers={"x-should-retry": "true"}), 2),
        (unavailable({"x-should-retry": "perhaps"}), 2),
    ],
)
async def test_the_word_of_the_provider_counts_more_than_its_status(
    tmp_path: Path, fault: Answer, requests: int
) -> None:
    story = await story_of(tmp_path, fault, GOOD)

    assert (story.handoff.done, story.requests) == (requests == 2, requests)


async def test_calls_that_fail_keep_no_connection(tmp_path: Path) -> None:
    """The client has a single one: if any of the calls kept it, the next would wait for it in vain."""
    faults = (unavailable(), half_a_body(), resets(), babbles(), hangs_up(), stalls_for_ever(), slow_first_byte(60))
    patient = Resilience(attempts=len(faults) + 1, backoff_seconds=0, timeout_seconds=0.4)
    story = await story_of(tmp_path, *faults, GOOD, defaults=patient, connections=1)

    assert (story.handoff.done, story.requests) == (True, len(faults) + 1)


# What the model says wrongly


@pytest.mark.parametrize(
    "wrong",
    [calls("final_result", '{"path": '), calls("final_result", '{"file": 1}'), calls("delete_everything", "{}")],
    ids=["no JSON", "other arguments", "a tool nobody offered"],
)
async def test_a_wrong_call_is_corrected_in_the_same_attempt_and_paid(tmp_path: Path, wrong: Answer) -> None:
    story = await story_of(tmp_path, wrong, GOOD)

    assert (story.handoff.done, story.handoff.attempts, story.requests) == (True, 1, 2)
    assert story.handoff.usage.calls == 2


async def test_a_model_that_never_finds_the_right_words_breaks_its_contract(tmp_path: Path) -> None:
    story = await story_of(tmp_path, calls("final_result", '{"file": 1}'))

    assert not story.handoff.done
    assert story.handoff.error is not None
    assert story.handoff.error.kind == "ContractViolation"


# Outages stay where they are


@agent
async def count(item: str) -> Finding:
    """Do without any provider."""
    return Finding(path=item)


async def test_in_an_outage_the_breaker_opens_and_nobody_else_notices(tmp_path: Path) -> None:
    """40 agents ask a provider that is down, two at a time; 40 others do without it.

    The next probe is in 30 s, which is longer than any of them would wait.
    """
    paths = tuple(f"{n}.py" for n in range(40))
    with LlmServer(unavailable()) as server:
        async with asking(server.url) as model:
            job = inspecting(model, Resilience(attempts=1, timeout_seconds=20), breaker="provider")
            job.phase("count", each=count, over=of_paths)
            async with a_run(job, tmp_path, Files(paths=paths), max_concurrency=2) as run:
                delivered = await run_phases(run)
                blocked = [
                    step.handoff
                    for step in run.log.state.steps
                    if "breaker 'provider' is open" in _reason(step.handoff)
                ]

    assert len(server.requests) <= 5 + 2  # five failures in a row open it; one more may be under way
    assert len(blocked) == len(paths) - len(server.requests)
    assert all(handoff.attempts == 0 for handoff in blocked)
    assert (len(delivered["inspect"].missing), len(delivered["count"].handoffs)) == (40, 40)


async def test_two_providers_share_nothing(tmp_path: Path) -> None:
    with LlmServer(stalls_for_ever()) as bad, LlmServer(GOOD) as good:
        async with asking(bad.url) as slow, asking(good.url) as model:
            job = inspecting(slow, Resilience(attempts=1, timeout_seconds=0.5), breaker="bad")
            job.phase("again", each=model_agent(model, breaker="good"), over=of_paths)
            async with a_run(job, tmp_path, Files(paths=("a.py", "b.py"))) as run:
                delivered = await run_phases(run)
                errors = [_reason(step.handoff) for step in run.log.state.steps if not step.handoff.done]

    assert errors == ["no answer within its 0.5 s"] * 2
    assert len(delivered["again"].handoffs) == 2


# Secrets


async def test_the_key_of_a_provider_is_nowhere_to_be_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in the journal, the outputs, the report and the workspaces, nor in the log at its most talkative."""
    caplog.set_level(logging.DEBUG)
    for number, answers in enumerate(([GOOD], [refuses(401)], [unavailable()], [resets()], [babbles()])):
        result = await _reported(tmp_path / str(number), answers)
        assert KEY not in repr(result)
    written = [file for file in tmp_path.rglob("*") if file.is_file()]

    assert any(file.name == "journal.db" for file in written)
    assert any(file.suffix == ".md" for file in written)
    assert [file for file in written if KEY.encode() in file.read_bytes()] == []
    assert KEY not in caplog.text


async def _reported(home: Path, answers: Sequence[Answer]) -> Any:
    settings = Settings(home=home)
    with LlmServer(*answers) as server:
        async with asking(server.url) as model:
            job = inspecting(model)
            async with prepare_run(job, Files(), RunOptions(), settings) as run:
                return await finish(run, await run_phases(run.context))


def _reason(handoff: Handoff) -> str:
    return handoff.error.message if handoff.error else ""
