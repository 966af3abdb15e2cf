"""From messages of pydantic-ai to a transcript: the one place that knows how that library says things."""

from collections.abc import Callable, Sequence

from echelon.agents.transcript.bounds import Bounded, bounded, first_kept, shares
from echelon.agents.transcript.content import data_text, prompt_text
from echelon.agents.transcript.exchange import Exchange
from echelon.agents.transcript.transcript import (
    MESSAGE_BYTES,
    MESSAGE_PARTS,
    NAME_CHARACTERS,
    TRANSCRIPT_BYTES,
    Message,
    MessagePart,
    Transcript,
)
from echelon.contract.complaint import legible
from echelon.model.edges import Foreign
from echelon.model.phrasing import truncate
from echelon.redaction import redact

Clean = Callable[[str], str]
"""Takes out of a text what is secret."""


def transcript_of(exchange: Exchange, error: str = "") -> Transcript:
    """Return what is kept of one call of a model; `error` says why there is no answer.

    Reads what tools returned, and so runs code of their authors: it may raise anything.
    """
    clean = _cleaner(exchange.model)
    messages = _messages(exchange.messages, clean)
    sizes = [len(message.model_dump_json().encode()) for message in messages]
    kept = first_kept(sizes, TRANSCRIPT_BYTES)
    return Transcript(
        agent=name_of(exchange.agent),
        model=model_name(exchange.model),
        began=exchange.began,
        ended=exchange.ended,
        error=error,
        messages=(*messages[:1], *messages[kept:]),
        left_out_messages=len(messages[1:kept]),
        left_out_bytes=sum(sizes[1:kept]),
    )


def model_name(model: Foreign) -> str:
    """Return what a model is called; empty when that is not known."""
    return name_of(model if isinstance(model, str) else getattr(model, "model_name", ""))


def answers_in(messages: Sequence[Foreign]) -> int:
    """Return how many answers a model gave in a conversation."""
    return sum(message.kind == "response" for message in messages)


def context_tokens_of(messages: Sequence[Foreign]) -> int | None:
    """Return the tokens of the largest request with its answer; None where no answer says them."""
    answers = [message.usage for message in messages if message.kind == "response"]
    return max((one.input_tokens + one.output_tokens for one in answers), default=0) or None


def name_of(said: object) -> str:
    """Return a name as it is kept: models invent names of tools, and anything may stand in them."""
    return truncate(legible(redact(str(said))), NAME_CHARACTERS) if said else ""


def _cleaner(model: Foreign) -> Clean:
    return lambda text: redact(text, model)


def _messages(messages: Sequence[Foreign], clean: Clean) -> list[Message]:
    """Return a conversation; instructions stand with the first request, and wherever they have changed."""
    made: list[Message] = []
    instructions = ""
    for message in messages:
        stated = getattr(message, "instructions", None) or ""
        made.append(_message(message, stated if stated != instructions else "", clean))
        instructions = stated or instructions
    return made


def _message(message: Foreign, instructions: str, clean: Clean) -> Message:
    parts = message.parts[:MESSAGE_PARTS]
    texts = [bounded(text, MESSAGE_BYTES, clean) for text in (instructions, *map(_text_of, parts))]
    limits = shares([len(text.data) for text in texts], MESSAGE_BYTES)
    told, *said = [text.cut(limit) for text, limit in zip(texts, limits, strict=True)]
    answered = message.kind == "response"
    return Message(
        role="response" if answered else "request",
        at=message.timestamp,
        parts=(
            *([_part("instructions", told)] if instructions else []),
            *[_part_of(part, text) for part, text in zip(parts, said, strict=True)],
        ),
        model=name_of(message.model_name) if answered else "",
        finish_reason=(message.finish_reason or "") if answered else "",
        # A provider that tells nothing has them at zero.
        tokens_in=(message.usage.input_tokens or None) if answered else None,
        tokens_out=(message.usage.output_tokens or None) if answered else None,
        interrupted=getattr(message, "state", "") == "interrupted",
        left_out_parts=len(message.parts) - len(parts),
    )


def _part(kind: str, text: Bounded) -> MessagePart:
    return MessagePart(kind=kind, text=text.data.decode(), left_out_bytes=text.beyond)


def _part_of(part: Foreign, text: Bounded) -> MessagePart:
    outcome = getattr(part, "outcome", "success")
    return _part(part.part_kind, text).model_copy(
        update={
            "tool": name_of(getattr(part, "tool_name", "")),
            "call_id": name_of(getattr(part, "tool_call_id", "")) if getattr(part, "tool_name", "") else "",
            "outcome": "" if outcome == "success" else str(outcome),
        }
    )


def _text_of(part: Foreign) -> str:
    """Return what a part says; one that is not known here says nothing but its kind."""
    if part.part_kind == "user-prompt":
        return prompt_text(part.content)
    for field in ("args", "content", "transcript"):
        if (content := getattr(part, field, None)) is not None:
            return data_text(content)
    return ""
