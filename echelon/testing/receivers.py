"""Receivers of messages to people, on the loopback: real HTTP, real SMTP, which answer as they are told.

    with HttpReceiver() as receiver:
        job = Job(..., notify=[Notify.webhook(receiver.url)])

Answers are given in order; the last one is given again for ever. Each says what it got.
"""

import json
import socketserver
import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from echelon.model.adapter import JsonObject
from echelon.testing.serving import ServedInThread


@dataclass(frozen=True, kw_only=True)
class HttpAnswer:
    """How one message is answered."""

    status: int = 200
    """HTTP status."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Headers beside the usual ones."""
    body: bytes = b"ok"
    """What it says."""
    hangs: bool = False
    """Does it never come?"""


@dataclass(frozen=True, kw_only=True)
class HttpMessage:
    """What was posted."""

    path: str
    """Where."""
    headers: Mapping[str, str]
    """With which headers, by their names in lower case."""
    body: JsonObject
    """What."""

    @property
    def key(self) -> str:
        """The idempotency key."""
        return self.headers.get("idempotency-key", "")


class HttpReceiver(ServedInThread):
    """A receiver of webhooks. `messages` is what was posted, in order."""

    def __init__(self, *answers: HttpAnswer) -> None:
        self.messages: list[HttpMessage] = []
        self._answers = list(answers) or [HttpAnswer()]
        self._lock = threading.Lock()
        super().__init__(ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_HttpHandler,), {"receiver": self})))

    @property
    def url(self) -> str:
        """Where to post to."""
        return f"http://127.0.0.1:{self.port}/hook"

    def take(self, message: HttpMessage) -> HttpAnswer:
        """Take a message, and return how it is answered."""
        with self._lock:
            self.messages.append(message)
            return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


class _HttpHandler(BaseHTTPRequestHandler):
    receiver: HttpReceiver

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.receiver.take(HttpMessage(path=self.path, headers=headers, body=json.loads(content)))
        self.close_connection = True
        if answer.hangs:
            self.receiver.closing.wait()
            return
        try:
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)
        except ConnectionError:  # it did not read to the end
            return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the library calls it
        """Say nothing."""


class MailReceiver(ServedInThread):
    """A mail server. `mails` is what it took, `logins` how clients logged in, `secret` whether each mail was encrypted.

    `refuses` are its answers to the next mails, as `451 later`; with `certificate` (a file with certificate and key) it
    offers encryption.
    """

    def __init__(self, *refuses: str, certificate: str = "") -> None:
        self.mails: list[EmailMessage] = []
        self.logins: list[str] = []
        self.encrypted: list[bool] = []
        self.refusals = list(refuses)
        self.context: ssl.SSLContext | None = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)
        super().__init__(_MailServer(("127.0.0.1", 0), type("Handler", (_MailHandler,), {"receiver": self})))


class _MailServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class _MailHandler(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs to hand a mail over."""

    receiver: MailReceiver

    def handle(self) -> None:
        self.is_encrypted = False
        self._say("220 hello")
        while line := self.rfile.readline():
            verb, _, rest = line.decode("ascii", "replace").strip().partition(" ")
            if verb.upper() == "QUIT":
                self._say("221 bye")
                return
            self._answer(verb.upper(), rest)

    def finish(self) -> None:
        super().finish()
        if self.is_encrypted:  # the server knows of the connection below it
            self.connection.close()

    def _answer(self, verb: str, rest: str) -> None:
        if verb == "EHLO":
            offers = [] if self.receiver.context is None or self.is_encrypted else ["STARTTLS"]
            self._say_lines(["here", "AUTH PLAIN", *offers])
        elif verb == "STARTTLS" and self.receiver.context is not None:
            self._say("220 go ahead")
            self._encrypt(self.receiver.context)
        elif verb == "AUTH":
            self.receiver.logins.append(rest)
            self._say("235 welcome" if self.is_encrypted else "538 not in clear")
        elif verb == "RCPT" and self.receiver.refusals:
            self._say(self.receiver.refusals.pop(0))
        elif verb == "DATA":
            self._say("354 go ahead")
            self._take()
        else:
            self._say("250 ok")

    def _take(self) -> None:
        lines: list[bytes] = []
        while (line := self.rfile.readline()).rstrip(b"\r\n") != b".":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        self.receiver.mails.append(message_from_bytes(b"".join(lines), policy=default))
        self.receiver.encrypted.append(self.is_encrypted)
        self._say("250 taken")

    def _encrypt(self, context: ssl.SSLContext) -> None:
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb", self.rbufsize)
        self.wfile = self.connection.makefile("wb", 0)
        self.is_encrypted = True

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def _say_lines(self, lines: Sequence[str]) -> None:
        for line in lines[:-1]:
            self._say(f"250-{line}")
        self._say(f"250 {lines[-1]}")
