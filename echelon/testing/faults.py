"""How providers fail, as answers of the `LlmServer`: each fault once, as it looks on the wire.

with LlmServer(rate_limited(after("0.2")), half_a_body(), says("done")) as server: ...
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from echelon.model.adapter import JsonObject
from echelon.testing.llm_server import Answer, Connection, refuses, says

#: What a provider says whose answer does not matter.
_ANYTHING = "done"


def after(seconds: float | str) -> dict[str, str]:
    """Ask for patience in the usual header, in seconds; whatever else is given stands there as it is."""
    return {"retry-after": str(seconds)}


def after_milliseconds(milliseconds: float) -> dict[str, str]:
    """Ask for patience as some providers do, beside a usual header that is less exact."""
    return {"retry-after-ms": str(milliseconds), "retry-after": "3"}


def after_date(seconds: float, now: datetime | None = None) -> dict[str, str]:
    """Ask for patience until a moment; HTTP tells it in whole seconds, so it is cut down to one."""
    return {"retry-after": format_datetime((now or datetime.now(UTC)) + timedelta(seconds=seconds), usegmt=True)}


def rate_limited(headers: Mapping[str, str] | None = None) -> Answer:
    """Refuse because there were too many requests (429)."""
    return refuses(429, message="Rate limit reached", headers=headers)


def unavailable(headers: Mapping[str, str] | None = None) -> Answer:
    """Refuse because the service is down (503)."""
    return refuses(503, message="The server is not available", headers=headers)


def overloaded() -> Answer:
    """Refuse because too many others ask (529)."""
    return refuses(529, message="Overloaded")


def slow_first_byte(seconds: float, answer: Answer | None = None) -> Answer:
    """Accept the request at once, and begin to answer only after so many seconds."""
    return replace(answer or says(_ANYTHING), delay_seconds=seconds)


def half_a_body(answer: Answer | None = None) -> Answer:
    """Promise an answer, send half of it and close the connection."""
    return replace(answer or says(_ANYTHING), deliver=_half)


def resets(answer: Answer | None = None) -> Answer:
    """Reset the connection in the middle of the answer."""
    return replace(answer or says(_ANYTHING), deliver=_reset)


def stalls_for_ever(answer: Answer | None = None) -> Answer:
    """Send half of the answer, then nothing, and keep the connection open."""
    return replace(answer or says(_ANYTHING), deliver=_stall)


def calls(tool: str, arguments: str, *, tokens_in: int = 10) -> Answer:
    """Answer with a call of a tool, offered or not, with its arguments as they are, JSON or not."""
    usual = says({}, tokens_in=tokens_in).body

    def body(request: JsonObject) -> bytes:
        completion = json.loads(usual(request))
        completion["choices"][0]["message"]["tool_calls"][0]["function"] = {"name": tool, "arguments": arguments}
        return json.dumps(completion).encode()

    return Answer(body=body)


def _half(answer: Answer, content: bytes, connection: Connection) -> None:
    connection.start(answer.status, answer.headers, len(content))
    connection.send(content[: len(content) // 2])


def _reset(answer: Answer, content: bytes, connection: Connection) -> None:
    _half(answer, content, connection)
    connection.reset()


def _stall(answer: Answer, content: bytes, connection: Connection) -> None:
    _half(answer, content, connection)
    connection.wait(None)
