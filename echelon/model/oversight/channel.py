"""Where people are reached outside a run: a command, a webhook, an e-mail, a notification block of Prefect (O8).

A channel is on record with each message that goes through it, so that any later process can send it. It holds no
secret: an address that is one, a header, a password are named by the environment variable that they are in.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from echelon.model.base import Value

#: What a receiver understands: our own JSON, an incoming webhook of Slack, a comment of GitHub.
Shape: TypeAlias = Literal["json", "slack", "github"]
#: Whether e-mail is encrypted on its way to the server: always, where the server offers it, never.
MailEncryption: TypeAlias = Literal["required", "offered", "none"]

DEFAULT_TIMEOUT_SECONDS = 10.0

#: Hosts whose addresses let anybody write who knows them: such an address is a secret.
SECRET_HOSTS = ("hooks.slack.com", "discord.com", "discordapp.com")

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_MAILBOX = re.compile(r"[^\s@<>(),;:\\\"\x00-\x1f\x7f]+@[^\s@<>(),;:\\\"\x00-\x1f\x7f]+")
_BLOCK = re.compile(r"[a-z0-9-]+/[a-z0-9-]+")


def _variable(name: str) -> str:
    if name and not _VARIABLE.fullmatch(name):
        raise ValueError(f"{name!r} is no name of an environment variable; give the name, not the value")
    return name


class _Way(Value):
    """What all channels have."""

    approver: str = ""
    """Whom it reaches. Empty: it carries the question to everybody who may answer, a message each."""
    timeout_seconds: float = Field(default=DEFAULT_TIMEOUT_SECONDS, gt=0, le=120)
    """How long one attempt to deliver may take."""


class CommandChannel(_Way):
    """A program that is given the message as JSON on its standard input; exit code 0 says that it was delivered."""

    kind: Literal["command"] = "command"
    argv: tuple[str, ...] = Field(min_length=1)
    """The program and its arguments; no shell is involved."""
    env: tuple[str, ...] = ()
    """Environment variables that it gets beyond those that every program needs, by name."""

    @field_validator("argv")
    @classmethod
    def _named(cls, argv: tuple[str, ...]) -> tuple[str, ...]:
        if not argv[0].strip() or any("\0" in one for one in argv):
            raise ValueError("a command needs the name of a program, and no argument can hold a zero byte")
        return argv

    @field_validator("env")
    @classmethod
    def _variables(cls, env: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_variable(name) for name in env)

    @property
    def label(self) -> str:
        """How it is called in texts."""
        return f"command {self.argv[0]}"


class WebhookChannel(_Way):
    """An address that the message is posted to."""

    kind: Literal["webhook"] = "webhook"
    url: str = ""
    """The address, where it is no secret."""
    url_env: str = ""
    """The environment variable with the address, where it is one."""
    shape: Shape = "json"
    """What the receiver understands."""
    headers_env: Mapping[str, str] = Field(default_factory=dict[str, str])
    """Headers by name, each with the environment variable that holds its value."""

    @model_validator(mode="after")
    def _addressed(self) -> "WebhookChannel":
        if bool(self.url) is bool(self.url_env):
            raise ValueError("a webhook needs an address: give url=, or url_env= with the variable that holds it")
        if self.url and (trouble := why_no_address(self.url)):
            raise ValueError(trouble)
        if self.url and (urlsplit(self.url).hostname or "") in SECRET_HOSTS:
            raise ValueError("this address is a secret, since whoever knows it can write; name its variable: url_env=")
        _variable(self.url_env)
        for header, name in self.headers_env.items():
            if not _HEADER.fullmatch(header):
                raise ValueError(f"{header!r} is no name of a header")
            _variable(name)
        return self

    @property
    def label(self) -> str:
        """How it is called in texts: the host, and nothing of the address behind it."""
        return f"webhook ${self.url_env}" if self.url_env else f"webhook {urlsplit(self.url).netloc}"


class EmailChannel(_Way):
    """An e-mail by SMTP."""

    kind: Literal["email"] = "email"
    to: str
    """Who gets it."""
    sender: str
    """Who it is from."""
    smtp: str
    """The server: `smtp://host:port`, or `smtps://host:port` where it is encrypted from the first byte."""
    user_env: str = ""
    """The environment variable with the name to log in with; empty: nobody logs in."""
    password_env: str = ""
    """The environment variable with the password."""
    encryption: MailEncryption = "offered"
    """With `smtp://`: whether what is sent is encrypted (STARTTLS). A password is never sent in clear."""

    @field_validator("to", "sender")
    @classmethod
    def _mailbox(cls, address: str) -> str:
        if not _MAILBOX.fullmatch(address):
            raise ValueError(f"{address!r} is no address of one person; write it as ops@example.org")
        return address

    @model_validator(mode="after")
    def _served(self) -> "EmailChannel":
        if trouble := why_no_address(self.smtp, ("smtp", "smtps")):
            raise ValueError(trouble)
        if bool(self.user_env) is not bool(self.password_env):
            raise ValueError("who logs in has a name and a password: give user_env= and password_env=, or neither")
        if self.password_env and self.encryption == "none" and urlsplit(self.smtp).scheme == "smtp":
            raise ValueError('a password is not sent in clear: leave encryption="none" out, or log in nowhere')
        _variable(self.user_env)
        _variable(self.password_env)
        return self

    @property
    def label(self) -> str:
        """How it is called in texts."""
        return f"e-mail to {self.to}"


class PrefectChannel(_Way):
    """A notification block that is kept in the Prefect server, such as those for Slack, Teams and e-mail."""

    kind: Literal["prefect"] = "prefect"
    block: str
    """Type and name of the block, as `slack-webhook/ops`."""
    timeout_seconds: float = Field(default=60.0, gt=0, le=120)
    """How long one attempt to deliver may take; importing Prefect is a part of it."""

    @field_validator("block")
    @classmethod
    def _slug(cls, block: str) -> str:
        if not _BLOCK.fullmatch(block):
            raise ValueError(f"{block!r} names no block; write its type and its name, as slack-webhook/ops")
        return block

    @property
    def label(self) -> str:
        """How it is called in texts."""
        return f"Prefect block {self.block}"


NotifyChannel = Annotated[
    CommandChannel | WebhookChannel | EmailChannel | PrefectChannel,
    Field(discriminator="kind"),
]
"""A way to reach somebody."""

#: The classes of the union, for whoever checks what was given.
CHANNELS = (CommandChannel, WebhookChannel, EmailChannel, PrefectChannel)


def why_no_address(url: str, schemes: Sequence[str] = ("http", "https")) -> str:
    """Say what is wrong with an address; empty when it can be used and shows no password."""
    wanted = " or ".join(f"{scheme}://" for scheme in schemes)
    if any(char.isspace() or not char.isprintable() for char in url):
        return "the address has blanks or control characters in it"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return f"the address cannot be read; it begins with {wanted}, and a port is a number"
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        return f"the address must begin with {wanted} and name a host"
    if "@" in parts.netloc:
        return "the address holds a name or a password, which would be on record; name variables that hold them"
    return ""


class Notify:
    """The ways in which people are told of gates and urgent concerns, for `Job(notify=[…])` (O8).

    Job(..., notify=[Notify.webhook(url_env="SLACK_URL", shape="slack"), Notify.email("ops@example.org", ...)])

    With `approver=` a channel reaches that one person, whose answer is theirs only.
    """

    @staticmethod
    def command(
        argv: Sequence[str],
        *,
        env: Sequence[str] = (),
        approver: str = "",
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    ) -> CommandChannel:
        """Start a program, which gets the message as JSON on its standard input."""
        argv, env = _texts(argv, "argv"), _texts(env, "env")
        return CommandChannel(argv=argv, env=env, approver=approver, timeout_seconds=timeout_seconds)

    @staticmethod
    def webhook(
        url: str = "",
        *,
        url_env: str = "",
        shape: Shape = "json",
        headers_env: Mapping[str, str] | None = None,
        approver: str = "",
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    ) -> WebhookChannel:
        """Post the message; `url_env` and `headers_env` name the variables that hold what must not be on record."""
        return WebhookChannel(
            url=url,
            url_env=url_env,
            shape=shape,
            headers_env=headers_env or {},
            approver=approver,
            timeout_seconds=timeout_seconds,
        )

    @staticmethod
    def email(
        to: str,
        *,
        smtp: str,
        sender: str,
        user_env: str = "",
        password_env: str = "",
        encryption: MailEncryption = "offered",
        approver: str = "",
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    ) -> EmailChannel:
        """Send an e-mail."""
        return EmailChannel(
            to=to,
            smtp=smtp,
            sender=sender,
            user_env=user_env,
            password_env=password_env,
            encryption=encryption,
            approver=approver,
            timeout_seconds=timeout_seconds,
        )

    @staticmethod
    def prefect(block: str, *, approver: str = "") -> PrefectChannel:
        """Use a notification block of the Prefect server."""
        return PrefectChannel(block=block, approver=approver)


def _texts(values: Sequence[str], what: str) -> tuple[str, ...]:
    if isinstance(values, str):
        raise TypeError(f"{what} is a list of texts, not one text: no shell takes it apart")
    return tuple(values)
