"""What a request of a model will use, reserved before it is sent; and what it did use, paid behind it (F4).

Here the meter of the guard meets pydantic-ai: a request of its loop is a part of the call under way.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from echelon.agents.model_limits import library
from echelon.model.edges import is_listing
from echelon.model.usage import Usage
from echelon.resilience.meter import Meter, RequestHold, current_meter

if TYPE_CHECKING:
    from pydantic_ai.capabilities import AbstractCapability
    from pydantic_ai.messages import ModelMessage, ModelResponse
    from pydantic_ai.models import ModelRequestContext

#: Tokens of a prompt for each of its bytes, before a model has told any. Prompts of words have less: it is a bound.
TOKENS_PER_BYTE = 1 / 3
#: More than any budget has: a request that wants this has all that is left, and nobody beside it.
ALL = 2**53
#: The longest answer that is paid for before one has come, where nobody states a limit; every provider allows it.
ANSWER_TOKENS = 8_192
#: With fewer tokens left, the first request of a model that states no limit is made alone.
FEW_TOKENS = 32 * ANSWER_TOKENS
#: No shorter limit is sent, as long as more is left; answers differ in length.
SHORTEST_LIMIT_TOKENS = 1_024
#: No longer limit is sent unless somebody states it.
LONGEST_LIMIT_TOKENS = 2 * ANSWER_TOKENS

#: What an image or a file counts in a prompt, in bytes of text.
_ATTACHMENT_BYTES = 4_000


class Sizes:
    """How large the requests of a model are: the most that was told so far, to be on the safe side."""

    def __init__(self) -> None:
        self._tokens_per_byte: float | None = None
        self._answer_tokens: int | None = None

    def prompt(self, size_bytes: int) -> int:
        """Estimate the tokens of a prompt."""
        return math.ceil(size_bytes * (self._tokens_per_byte or TOKENS_PER_BYTE))

    def answer(self, tokens_left: float) -> int:
        """Estimate the tokens of an answer, for which nobody has stated a limit, with so many left.

        Nothing is known before the first one has come. Where many that turn out to be too short would use the budget
        up, the first is alone, and may have all of it.
        """
        if self._answer_tokens is None:
            return ALL if tokens_left < FEW_TOKENS else ANSWER_TOKENS
        return max(SHORTEST_LIMIT_TOKENS, 2 * self._answer_tokens)

    def learn(self, size_bytes: int, tokens_in: int, tokens_out: int) -> None:
        """Take into account what a request with a prompt of so many bytes had."""
        if tokens_in:
            self._tokens_per_byte = max(self._tokens_per_byte or 0.0, tokens_in / max(1, size_bytes))
        self._answer_tokens = max(self._answer_tokens or 0, tokens_out)


@dataclass
class _Sent:
    """A request that is under way."""

    part: RequestHold
    size_bytes: int
    limit_is_ours: bool


class _MeteredRequests:
    """The requests of one call."""

    def __init__(self, meter: Meter, sizes: Sizes) -> None:
        self._meter = meter
        self._sizes = sizes
        self._sent: _Sent | None = None
        self._needs_all = False

    async def prepare(self, _run: object, request: "ModelRequestContext") -> "ModelRequestContext":
        """Reserve a request, and tell the provider how long its answer may be."""
        settings = request.model_settings or {}
        stated = settings.get("max_tokens")
        size_bytes = _size_bytes(request)
        part = await self._reserve(size_bytes, stated)
        self._sent = _Sent(part, size_bytes, limit_is_ours=stated is None and not part.is_last)
        # A limit that is longer than a provider allows is refused; with that much left none is needed.
        needs_limit = part.answer_tokens is not None and (stated or part.answer_tokens <= LONGEST_LIMIT_TOKENS)
        limit = {"max_tokens": part.answer_tokens} if needs_limit else {}
        return replace(request, model_settings=cast("Any", {**settings, **limit}))

    async def _reserve(self, size_bytes: int, stated: int | None) -> RequestHold:
        """Reserve a request; anew when others have told meanwhile how large such requests are."""
        while True:
            expected = self._expected(size_bytes, stated)
            part = await self._meter.reserve(*expected)
            if self._expected(size_bytes, stated) == expected:
                return part
            self._meter.release(part)

    def _expected(self, size_bytes: int, stated: int | None) -> tuple[int, int]:
        answer_tokens = ALL if self._needs_all else stated or self._sizes.answer(self._meter.tokens_left())
        return self._sizes.prompt(size_bytes), answer_tokens

    async def settle_answer(
        self, _run: object, *, request_context: "ModelRequestContext", response: "ModelResponse"
    ) -> "ModelResponse":
        """Pay what the request used; one that our own limit cut off is made again with all that is left."""
        sent, self._sent = self._sent, None
        if sent is None:  # an answer that nothing was sent for, made by another hook
            return response
        read, written = response.usage.input_tokens, response.usage.output_tokens
        self._pay(sent, Usage(tokens_in=read or None, tokens_out=written or None) if read or written else Usage())
        if read or written:
            self._sizes.learn(sent.size_bytes, read, written)
        if response.finish_reason == "length" and sent.limit_is_ours and not request_context.streaming:
            self._needs_all = True
            raise library("pydantic_ai.exceptions").RetryModelRequest
        return response

    async def settle_failure(self, _run: object, *, request_context: object, error: Exception) -> "ModelResponse":  # noqa: ARG002
        """Give back what a request that failed had reserved: it told of nothing that it used."""
        sent, self._sent = self._sent, None
        if sent is not None:
            self._pay(sent, Usage())
        raise error

    def _pay(self, sent: _Sent, usage: Usage) -> None:
        self._meter.pay(sent.part, usage)


def metered(sizes: Sizes) -> "Sequence[AbstractCapability[Any]]":
    """Return what pays for the requests of the call under way, as `capabilities` of a run; none without a budget."""
    meter = current_meter()
    if meter is None:
        return ()
    requests = _MeteredRequests(meter, sizes)
    hooks: Callable[..., AbstractCapability[Any]] = library("pydantic_ai.capabilities").Hooks
    return (
        hooks(
            prepare_model_request=requests.prepare,
            after_model_request=requests.settle_answer,
            model_request_error=requests.settle_failure,
        ),
    )


def _size_bytes(request: "ModelRequestContext") -> int:
    """Return the size of what is sent: the conversation, instructions, and what the model is told of its tools."""
    parameters = request.model_request_parameters
    tools = (*parameters.function_tools, *parameters.output_tools)
    return (
        sum(map(_size_of_message, request.messages))
        + sum(_size_of(part.content) for part in parameters.instruction_parts or ())
        + sum(_size_of((tool.name, tool.description, str(tool.parameters_json_schema))) for tool in tools)
    )


def _size_of_message(message: "ModelMessage") -> int:
    return sum(
        _size_of(getattr(part, "content", None)) + _size_of(getattr(part, "args", None)) for part in message.parts
    )


def _size_of(content: object) -> int:
    """Return the size of what a part holds; an image or a file counts as a page of text."""
    if content is None:
        return 0
    if isinstance(content, str):
        return len(content.encode(errors="replace"))
    if is_listing(content):
        return sum(map(_size_of, content))
    return _ATTACHMENT_BYTES if hasattr(content, "media_type") else len(str(content).encode(errors="replace"))
