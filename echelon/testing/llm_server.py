"""A small model provider on the loopback: speaks OpenAI's chat protocol, answers as it is told, fails on demand.

    with LlmServer(says({"severity": "high"})) as server:
        model = OpenAIChatModel("local", provider=OpenAIProvider(base_url=server.url, api_key="none"))

Answers are given in order; the last one is given again for ever. Real HTTP, so that clients, their retries and their
errors are the real ones.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

#: Content for a request that was read as JSON.
Body = Callable[[dict[str, Any]], bytes]


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


def says(output: Any, *, tokens_in: int = 10, tokens_out: int = 5) -> Answer:
    """Answer with text, or with the arguments of the output tool when `output` is a mapping."""

    def body(request: dict[str, Any]) -> bytes:
        usage = {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}
        choice = {"index": 0, "finish_reason": "stop", "message": _message(output, request)}
        completion = {"id": "1", "object": "chat.completion", "created": 0, "model": "local", "choices": [choice]}
        return json.dumps({**completion, "usage": usage}).encode()

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


class LlmServer:
    """The provider. `requests` are the bodies received, in order; safe to use from many clients at one time."""

    def __init__(self, *answers: Answer) -> None:
        self.requests: list[dict[str, Any]] = []
        self._answers = list(answers) or [says("done")]
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        """Base URL for clients."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer_to(self, request: dict[str, Any]) -> Answer | None:
        """Take a request, and return its answer after its delay; None when the server is closing."""
        with self._lock:
            self.requests.append(request)
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return None if self._closing.wait(answer.delay_seconds) else answer


def _message(output: Any, request: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(output, Mapping):
        return {"role": "assistant", "content": str(output)}
    names = [tool["function"]["name"] for tool in request.get("tools", [])]
    name = next((name for name in names if name.startswith("final_result")), "final_result")
    function = {"name": name, "arguments": json.dumps(output)}
    return {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": function}]}


def _handler_for(server: LlmServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = server.answer_to(request)
            if answer is None or answer.hangs_up:
                self.close_connection = True
                return
            content = answer.body(request)
            self.send_response(answer.status)
            headers = {"Content-Type": "application/json", "Content-Length": str(len(content)), **answer.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the signature of http.server
            """Stay silent: what was received is in `requests`."""

    return Handler
