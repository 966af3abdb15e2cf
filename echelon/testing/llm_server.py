"""A small model provider on the loopback: speaks OpenAI's chat protocol, answers as it is told, fails on demand.

    with LlmServer(says({"severity": "high"})) as server:
        model = OpenAIChatModel("local", provider=OpenAIProvider(base_url=server.url, api_key="none"))

Answers are given in order; the last one is given again for ever. Real HTTP, so that clients, their retries and their
errors are the real ones.
"""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol

from echelon.model.adapter import JsonObject
from echelon.testing.serving import ServedInThread

#: Linger on close, for no second: what the system then sends is a reset.
_RESET_WHEN_CLOSED = struct.pack("ii", 1, 0)

#: Content for a request that was read as JSON.
Body = Callable[[JsonObject], bytes]


class Connection(Protocol):
    """What an answer may do to the connection of its client, in ways that no honest server does."""

    def start(self, status: int, headers: Mapping[str, str], size: int) -> None:
        """Send status and headers; they promise a body of so many bytes."""
        ...

    def send(self, data: bytes) -> None:
        """Send a part of the body."""
        ...

    def wait(self, seconds: float | None) -> None:
        """Let time pass; None waits until the server is closed. Ends early when it is."""
        ...

    def reset(self) -> None:
        """Cut the connection so that the client sees a reset, not an end."""
        ...


#: Sends an answer, given its content, in a way of its own; the connection is closed behind it.
Delivery = Callable[["Answer", bytes, Connection], None]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How one request is answered."""

    body: Body
    """Makes the content."""
    status: int = 200
    """HTTP status."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Headers beside the usual ones."""
    delay_seconds: float = 0.0
    """How long the client waits for it."""
    hangs_up: bool = False
    """Is the connection closed without an answer?"""
    deliver: Delivery | None = None
    """How it is sent; None: as a whole, and the connection is kept."""


def says(output: object, *, tokens_in: int = 10, tokens_out: int = 5, finish_reason: str = "stop") -> Answer:
    """Answer with text, or with the arguments of the output tool when `output` is a mapping."""

    def body(request: JsonObject) -> bytes:
        return _completion(_message(output, request), _usage(tokens_in, tokens_out), finish_reason)

    return Answer(body=body)


def calls(tool: str, arguments: Mapping[str, object]) -> Answer:
    """Answer with a call of a tool."""
    function = {"name": tool, "arguments": json.dumps(arguments)}
    message = {"role": "assistant", "content": None}

    def body(request: JsonObject) -> bytes:
        called = {"id": f"call-{len(request['messages'])}", "type": "function", "function": function}
        return _completion({**message, "tool_calls": [called]}, _usage(10, 5), "tool_calls")

    return Answer(body=body)


def refuses(status: int, *, message: str = "refused", headers: Mapping[str, str] | None = None) -> Answer:
    """Answer with an error, for instance 429 with the header `retry-after`."""
    content = json.dumps({"error": {"message": message, "type": "error", "code": None}}).encode()
    return Answer(body=lambda _request: content, status=status, headers=headers or {})


def babbles(content: bytes = b'{"choices": [{"mess') -> Answer:
    """Answer with something that is no JSON."""
    return Answer(body=lambda _request: content)


def stalls(seconds: float) -> Answer:
    """Answer only after so many seconds."""
    return Answer(body=says("late").body, delay_seconds=seconds)


def hangs_up() -> Answer:
    """Close the connection without an answer."""
    return Answer(body=lambda _request: b"", hangs_up=True)


class _Server(ThreadingHTTPServer):
    #: Clients that may wait for their connection; more than those come at once, or they would wait for seconds.
    request_queue_size = 128


class LlmServer(ServedInThread):
    """The provider. `requests` are the bodies received, in order; safe to use from many clients at one time.

    `arrived` says when each of them came, in seconds of `time.monotonic`.
    """

    def __init__(self, *answers: Answer) -> None:
        self.requests: list[JsonObject] = []
        self.arrived: list[float] = []
        self._answers = list(answers) or [says("done")]
        self._lock = threading.Lock()
        super().__init__(_Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"llm": self})))

    @property
    def url(self) -> str:
        """Base URL for clients."""
        return f"http://127.0.0.1:{self.port}/v1"

    def answer_to(self, request: JsonObject) -> Answer | None:
        """Take a request, and return its answer after its delay; None when the server is closing."""
        with self._lock:
            self.requests.append(request)
            self.arrived.append(time.monotonic())
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return None if self.wait(answer.delay_seconds) else answer

    def wait(self, seconds: float | None) -> bool:
        """Let time pass, for ever with None, and say whether the server is closing: then it ends at once."""
        return self.closing.wait(seconds)


def _usage(tokens_in: int, tokens_out: int) -> JsonObject:
    return {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}


def _completion(message: JsonObject, usage: JsonObject, finish_reason: str) -> bytes:
    choice = {"index": 0, "finish_reason": finish_reason, "message": message}
    completion = {"id": "1", "object": "chat.completion", "created": 0, "model": "local", "choices": [choice]}
    return json.dumps({**completion, "usage": usage}).encode()


def _message(output: object, request: JsonObject) -> JsonObject:
    if not isinstance(output, Mapping):
        return {"role": "assistant", "content": str(output)}
    names = [tool["function"]["name"] for tool in request.get("tools", [])]
    name = next((name for name in names if name.startswith("final_result")), "final_result")
    function = {"name": name, "arguments": json.dumps(output)}
    return {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": function}]}


class _Handler(BaseHTTPRequestHandler):
    llm: LlmServer

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        content = self.rfile.read(length)
        if len(content) < length:  # the client was killed while it asked
            self.close_connection = True
            return
        request = json.loads(content)
        answer = self.llm.answer_to(request)
        if answer is None or answer.hangs_up:
            self.close_connection = True
            return
        try:
            self._answer(answer, answer.body(request))
        except ConnectionError:  # the client did not wait
            self.close_connection = True

    def _answer(self, answer: Answer, content: bytes) -> None:
        if answer.deliver is not None:
            self.close_connection = True
            answer.deliver(answer, content, self)
            return
        self.start(answer.status, answer.headers, len(content))
        self.send(content)

    def start(self, status: int, headers: Mapping[str, str], size: int) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(size), **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def send(self, data: bytes) -> None:
        self.wfile.write(data)

    def wait(self, seconds: float | None) -> None:
        self.llm.wait(seconds)

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_WHEN_CLOSED)
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of http.server
        """Stay silent: what was received is in `requests`."""
