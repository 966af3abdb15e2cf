"""From a conversation of pydantic-ai to what is kept of it."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai import BinaryContent, ModelRetry
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.models.test import TestModel
from pydantic_ai.usage import RequestUsage

from echelon.agents.model import model_agent
from echelon.agents.transcript.exchange import Exchange, hearing
from echelon.agents.transcript.recording import transcript_of
from echelon.agents.transcript.transcript import (
    MESSAGE_BYTES,
    MESSAGE_PARTS,
    NAME_CHARACTERS,
    TRANSCRIPT_BYTES,
    Transcript,
)
from echelon.testing.calls import a_call

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


class Finding(BaseModel):
    path: str


def kept(*messages: ModelMessage, model: Any = "gpt-5") -> Transcript:
    exchange = Exchange(agent="review", model=model, began=NOON, ended=NOON, messages=messages, error=None)
    return transcript_of(exchange)


def said(transcript: Transcript) -> list[tuple[str, str, str]]:
    return [(part.kind, part.tool, part.text) for message in transcript.messages for part in message.parts]


def heard(agent: PydanticAgent[Any, Any], call: Any = None) -> list[Exchange]:
    """Let a model work as an agent of a job, and return what was heard of it."""
    with hearing() as exchanges:
        asyncio.run(model_agent(agent, name="review", prompt=lambda _: "look at a.py").perform(call or a_call()))
    return exchanges


def test_everything_that_a_model_was_asked_and_answered_is_kept_in_order() -> None:
    inner = PydanticAgent(TestModel(), output_type=Finding, instructions="Be brief.", system_prompt="You review code.")
    tries = iter((False, True))

    @inner.tool_plain
    def size_of(path: str) -> dict[str, int]:
        if not next(tries):
            raise ModelRetry("try again")
        return {path: 3}

    (exchange,) = heard(inner)
    transcript = transcript_of(exchange)

    assert said(transcript) == [
        ("instructions", "", "Be brief."),
        ("system-prompt", "", "You review code."),
        ("user-prompt", "", "look at a.py"),
        ("tool-call", "size_of", '{"path": "a"}'),
        ("tool-return", "size_of", "try again"),
        ("tool-call", "size_of", '{"path": "a"}'),
        ("tool-return", "size_of", '{"a": 3}'),
        ("tool-call", "final_result", '{"path": "a"}'),
        ("tool-return", "final_result", "Final result processed."),
    ]
    assert [part.outcome for message in transcript.messages for part in message.parts if part.outcome] == ["retried"]
    assert [message.role for message in transcript.messages] == ["request", "response"] * 3 + ["request"]
    answers = [message for message in transcript.messages if message.role == "response"]
    assert all(one.model == "test" and one.tokens_in and one.tokens_out and one.at for one in answers)
    assert (transcript.agent, transcript.model) == ("review", "test")
    assert exchange.began <= exchange.messages[0].timestamp <= exchange.ended


def test_how_an_answer_ended_is_kept_and_what_is_not_known_is_not_zero() -> None:
    ended = ModelResponse(parts=[TextPart("half")], finish_reason="length", model_name="gpt-5-x", state="interrupted")
    counted = ModelResponse(parts=[ThinkingPart("hm")], usage=RequestUsage(input_tokens=7, output_tokens=2))

    first, second = kept(ended, counted).messages

    assert (first.finish_reason, first.model, first.interrupted) == ("length", "gpt-5-x", True)
    assert (first.tokens_in, first.tokens_out) == (None, None)
    assert (second.tokens_in, second.tokens_out) == (7, 2)


def test_a_call_of_a_tool_and_what_it_returned_are_found_by_their_id() -> None:
    called = ModelResponse(parts=[ToolCallPart("look", {"n": 1}, "c1"), ToolCallPart("look", {"n": 2}, "c2")])
    returned = ModelRequest(parts=[ToolReturnPart("look", "two", "c2"), ToolReturnPart("look", "one", "c1")])

    assert [part.call_id for message in kept(called, returned).messages for part in message.parts] == [
        "c1",
        "c2",
        "c2",
        "c1",
    ]


def test_what_a_provider_refuses_is_kept_up_to_there() -> None:
    def down(_messages: Sequence[ModelMessage], _info: object) -> ModelResponse:
        raise RuntimeError("the provider is away")

    with hearing() as exchanges, pytest.raises(RuntimeError):
        asyncio.run(model_agent(PydanticAgent(FunctionModel(down)), name="m", prompt=lambda _: "hi").perform(a_call()))

    assert said(transcript_of(exchanges[0])) == [("user-prompt", "", "hi")]
    assert str(exchanges[0].error) == "the provider is away"


def test_nothing_is_kept_where_nobody_listens() -> None:
    agent = model_agent(PydanticAgent(TestModel(custom_output_text="fine")), name="m")

    assert asyncio.run(agent.perform(a_call())).output == "fine"


def test_one_message_is_cut_fairly_and_says_how_much_is_left_out() -> None:
    long = "x" * MESSAGE_BYTES
    message = kept(ModelRequest(parts=[UserPromptPart(long), UserPromptPart("short"), UserPromptPart(long)])).messages[
        0
    ]

    half = (MESSAGE_BYTES - len("short")) // 2
    assert [len(part.text) for part in message.parts] == [half, 5, half + 1]
    assert [part.left_out_bytes for part in message.parts] == [MESSAGE_BYTES - half, 0, MESSAGE_BYTES - half - 1]


def test_fifty_megabytes_from_a_tool_are_named_by_their_size() -> None:
    (message,) = kept(ModelRequest(parts=[ToolReturnPart("read", "ä" * 25_000_000, "c")])).messages

    assert len(message.parts[0].text.encode()) + message.parts[0].left_out_bytes == 50_000_000
    assert len(message.parts[0].text.encode()) == MESSAGE_BYTES


def test_thousands_of_calls_in_one_answer_are_counted() -> None:
    (message,) = kept(ModelResponse(parts=[ToolCallPart("x" * 9_000, "{}") for _ in range(5_000)])).messages

    assert (len(message.parts), message.left_out_parts) == (MESSAGE_PARTS, 5_000 - MESSAGE_PARTS)
    assert all(len(part.tool) == NAME_CHARACTERS for part in message.parts)


def test_of_a_long_conversation_the_beginning_and_the_end_are_kept() -> None:
    talk = [ModelRequest(parts=[UserPromptPart(f"{n} " + "x" * 30_000)]) for n in range(100)]
    transcript = kept(*talk)

    starts = [message.parts[0].text.split()[0] for message in transcript.messages]
    assert (starts[0], starts[-1]) == ("0", "99")
    assert transcript.left_out_messages == 100 - len(starts) > 0
    assert transcript.left_out_bytes > transcript.left_out_messages * 30_000


hostile = st.text(st.sampled_from(["\x00", "\ud800", "ä", "大", '"', "\\", "\x1b", "x"]), max_size=20).map(
    lambda text: text * 4_000
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(hostile, min_size=1, max_size=4), max_size=6))
def test_no_conversation_is_larger_than_its_bound_nor_unreadable(talk: list[list[str]]) -> None:
    answers = [ModelResponse(parts=[ToolCallPart(text, text, text) for text in texts]) for texts in talk]
    written = kept(*answers).model_dump_json()

    assert len(written.encode()) <= TRANSCRIPT_BYTES
    assert len(Transcript.model_validate_json(written).messages) == min(2, len(talk)) or len(talk) > 2


def test_two_messages_of_the_worst_kind_fit() -> None:
    """Control characters take six bytes in JSON; names may be of letters that take four."""
    worst = [
        ToolCallPart("\U00020000" * 200, "\x01" * MESSAGE_BYTES, "\U00020000" * 200) for _ in range(MESSAGE_PARTS + 1)
    ]
    transcript = kept(ModelResponse(parts=worst), ModelResponse(parts=worst))

    assert transcript.left_out_messages == 0
    assert len(transcript.model_dump_json().encode()) <= TRANSCRIPT_BYTES


def test_a_key_of_the_models_own_client_is_taken_out() -> None:
    class Client:
        api_key = "plain-words-1"

    class Model:
        model_name = "gpt-5"
        client = Client()

    assert said(kept(ModelRequest(parts=[UserPromptPart("use plain-words-1")]), model=Model())) == [
        ("user-prompt", "", "use [secret]")
    ]


def test_files_are_named_in_what_is_asked_and_what_tools_return() -> None:
    image = BinaryContent(b"\x00" * 4_000, media_type="image/png", identifier="a")
    asked = ModelRequest(parts=[UserPromptPart(["what is this?", image]), ToolReturnPart("draw", [image], "c")])

    assert said(kept(asked)) == [
        ("user-prompt", "", "what is this?\n[image/png a, 4 KB]"),
        ("tool-return", "draw", '["[image/png a, 4 KB]"]'),
    ]
