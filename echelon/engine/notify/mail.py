"""A message as an e-mail, by SMTP. The library of Python blocks: a thread waits for it."""

import asyncio
import smtplib
import socket
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from urllib.parse import urlsplit

from echelon.engine.notify.variables import secret_of
from echelon.model.errors import NotDelivered
from echelon.model.oversight.channel import EmailChannel
from echelon.model.phrasing import truncate
from echelon.oversight.notify.message import PersonMessage, clean
from echelon.oversight.notify.shapes import as_text

#: Where a server listens whose address names no port.
_PORTS = {"smtp": 25, "smtps": 465}

#: Answers of a server from here on will be the same next time.
_FOR_GOOD = 500

_SUBJECT_CHARACTERS = 150


async def send_mail(channel: EmailChannel, message: PersonMessage) -> None:
    """Send a message as an e-mail; raise `NotDelivered` unless the server has taken it."""
    login = (secret_of(channel.user_env), secret_of(channel.password_env)) if channel.user_env else None
    host = urlsplit(channel.smtp).hostname
    try:
        await asyncio.to_thread(_send, channel, mail_of(channel, message), login)
    except ssl.SSLError as error:
        raise NotDelivered(
            f"the connection to {host} cannot be encrypted: {clean(str(error))}", passing=False
        ) from error
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        raise _refused(host, code, said) from error
    except smtplib.SMTPResponseException as error:
        raise _refused(host, error.smtp_code, error.smtp_error) from error
    except smtplib.SMTPNotSupportedError as error:
        raise NotDelivered(f"{host} cannot do it: {clean(str(error))}", passing=False) from error
    except (OSError, smtplib.SMTPException) as error:
        raise NotDelivered(f"{host} cannot be reached: {clean(str(error)) or type(error).__name__}") from error


def mail_of(channel: EmailChannel, message: PersonMessage) -> EmailMessage:
    """Return the e-mail; sent again, it has the same id, by which mail programs show it once."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = channel.sender
    mail["To"] = channel.to
    mail["Subject"] = truncate(message.title, _SUBJECT_CHARACTERS)
    mail["Message-ID"] = f"<{message.key}@echelon>"
    mail["Date"] = formatdate()
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(as_text(message))
    return mail


def _send(channel: EmailChannel, mail: EmailMessage, login: tuple[str, str] | None) -> None:
    address, seconds = urlsplit(channel.smtp), channel.timeout_seconds
    host, port = address.hostname or "", address.port or _PORTS[address.scheme]
    ours = socket.gethostname()  # what smtplib would ask a name server for
    if address.scheme == "smtps":
        context = ssl.create_default_context()
        server = smtplib.SMTP_SSL(host, port, ours, timeout=seconds, context=context)
    else:
        server = smtplib.SMTP(host, port, ours, timeout=seconds)
    with server:
        if address.scheme == "smtp" and channel.encryption != "none":
            _encrypt(server, host, needed=channel.encryption == "required" or login is not None)
        if login is not None:
            server.login(*login)
        server.send_message(mail)


def _encrypt(server: smtplib.SMTP, host: str, *, needed: bool) -> None:
    server.ehlo()
    if server.has_extn("starttls"):
        server.starttls(context=ssl.create_default_context())
        server.ehlo()
    elif needed:
        raise NotDelivered(
            f"{host} offers no encryption (STARTTLS), and nothing is sent in clear that must not be; use another "
            'server or smtps://, or encryption="offered" without a password',
            passing=False,
        )


def _refused(host: str | None, code: int, said: bytes | str) -> NotDelivered:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return NotDelivered(f"{host} answered {code} {clean(text)}", passing=code < _FOR_GOOD)
