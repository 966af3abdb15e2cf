"""Answers in a stream: there are none unless the agent of a model watches its events; half of one is no answer (F3)."""

import json
from collections.abc import AsyncIterable
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai.capabilities import ProcessEventStream

from echelon.testing.faults import half_a_body, resets, stalls_for_ever
from echelon.testing.llm_server import Answer
from tests.integration.providers import GOOD, IMPATIENT, story_of

pytestmark = pytest.mark.anyio

#: What the wire calls an answer in a stream.
STREAM = {"Content-Type": "text/event-stream"}


async def watch(_context: Any, events: AsyncIterable[Any]) -> None:
    """Look at every event: this makes pydantic-ai ask for a stream."""
    async for _ in events:
        pass


WATCHING = [ProcessEventStream(watch)]


def piece(delta: dict[str, Any], finish: str | None = None) -> bytes:
    """Return one event of a stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "local", "choices": [choice]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def argued(text: str, **more: Any) -> bytes:
    """Return a piece of the arguments of the output tool."""
    return piece(
        {"tool_calls": [{"index": 0, "function": {"arguments": text, **more}} | ({"id": "1"} if more else {})]}
    )


BEGINNING = argued('{"path":', name="final_result")
WHOLE = BEGINNING + argued(' "a.py"}') + piece({}, "tool_calls") + b"data: [DONE]\n\n"


def streamed(content: bytes) -> Answer:
    """Answer with these events."""
    return Answer(body=lambda _request: content, headers=STREAM)


async def test_a_stream_is_an_answer_when_it_was_asked_for(tmp_path: Path) -> None:
    story = await story_of(tmp_path, streamed(WHOLE), capabilities=WATCHING)

    assert (story.handoff.done, story.handoff.attempts, story.requests) == (True, 1, 1)


@pytest.mark.parametrize("cut", [half_a_body, resets, stalls_for_ever], ids=["closed", "reset", "stalled"])
async def test_a_stream_that_is_cut_off_costs_one_more_attempt(tmp_path: Path, cut: Any) -> None:
    answers = (cut(streamed(WHOLE)), streamed(WHOLE))
    story = await story_of(tmp_path, *answers, defaults=IMPATIENT, capabilities=WATCHING, connections=1)

    assert (story.handoff.done, story.handoff.attempts, story.requests) == (True, 2, 2)


async def test_half_of_a_stream_is_never_taken_for_an_answer(tmp_path: Path) -> None:
    """The provider ends it in the middle as if that were all."""
    story = await story_of(tmp_path, streamed(BEGINNING), capabilities=WATCHING)

    assert not story.handoff.done


async def test_a_stream_that_nobody_asked_for_is_refused(tmp_path: Path) -> None:
    story = await story_of(tmp_path, streamed(WHOLE), GOOD)

    assert (story.handoff.done, story.requests) == (False, 1)
    assert story.handoff.error is not None
    assert story.handoff.error.kind == "ContractViolation"
