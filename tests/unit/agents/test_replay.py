"""A conversation that is on record is taken up again as the library has it (D1)."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    RetryFeedbackPart,
    RetryInfo,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

from echelon.agents.transcript.exchange import Exchange
from echelon.agents.transcript.recording import transcript_of
from echelon.agents.transcript.replay import messages_of, why_not_whole
from echelon.agents.transcript.transcript import MESSAGE_BYTES, MESSAGE_PARTS, Transcript

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def kept(*messages: ModelMessage) -> Transcript:
    return transcript_of(Exchange(agent="find", model="local", began=NOW, ended=NOW, messages=messages, error=None))


def said(messages: Sequence[ModelMessage]) -> list[tuple[str, object]]:
    """Return kind and content of every part."""
    return [
        (part.part_kind, getattr(part, "args", None) or getattr(part, "content", None))
        for message in messages
        for part in message.parts
    ]


def test_what_was_asked_and_answered_comes_back_without_what_belongs_to_one_agent() -> None:
    """System prompts and instructions are those of whoever goes on; what was thought is not said again."""
    made = messages_of(
        kept(
            ModelRequest(parts=[SystemPromptPart("You find."), UserPromptPart("look at 1")], instructions="Be brief."),
            ModelResponse(parts=[ThinkingPart("hm"), ToolCallPart("read", {"path": "1"}, "c1")]),
            ModelRequest(parts=[ToolReturnPart("read", {"lines": 3}, "c1")]),
            ModelResponse(parts=[TextPart("it is long")]),
            ModelRequest(parts=[RetryFeedbackPart(content="answer with the tool", retry=RetryInfo(cause="output"))]),
            ModelResponse(parts=[ToolCallPart("final_result", '{"risk": "long"}', "c2")]),
            ModelRequest(parts=[ToolReturnPart("final_result", "Final result processed.", "c2")]),
        )
    )

    assert said(made) == [
        ("user-prompt", "look at 1"),
        ("tool-call", '{"path": "1"}'),
        ("tool-return", '{"lines": 3}'),
        ("text", "it is long"),
        ("user-prompt", "answer with the tool"),
        ("tool-call", '{"risk": "long"}'),
        ("tool-return", "Final result processed."),
    ]
    assert [part.tool_call_id for message in made for part in message.parts if isinstance(part, ToolCallPart)] == [
        "c1",
        "c2",
    ]


def test_a_long_text_is_cut_and_says_so() -> None:
    whole = kept(ModelRequest(parts=[UserPromptPart("x" * 3 * MESSAGE_BYTES)]), ModelResponse(parts=[TextPart("ok")]))
    (_, text), _ = said(messages_of(whole))

    assert why_not_whole(whole) == ""
    assert str(text).startswith("xxx")
    assert str(text).endswith("left out]")


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([ModelRequest(parts=[UserPromptPart("x")] * (MESSAGE_PARTS + 1))], "is too long to be kept whole"),
        (
            [ModelResponse(parts=[ToolCallPart("write", {"text": "x" * 3 * MESSAGE_BYTES}, "c1")])],
            "has a call of a tool that is too long to be kept whole",
        ),
        ([], "is empty"),
    ],
    ids=["parts", "call", "empty"],
)
def test_what_was_not_kept_whole_is_not_gone_on_with(messages: list[ModelMessage], reason: str) -> None:
    assert why_not_whole(kept(*messages)) == reason
