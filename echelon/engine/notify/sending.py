"""One attempt to deliver one message, through whatever channel it is."""

import asyncio
from pathlib import Path

from echelon.engine.notify.mail import send_mail
from echelon.engine.notify.prefect_block import use_block
from echelon.engine.notify.program import start_program
from echelon.engine.notify.webhook import post
from echelon.model.errors import NotDelivered
from echelon.model.oversight.channel import (
    CommandChannel,
    EmailChannel,
    NotifyChannel,
    PrefectChannel,
    WebhookChannel,
)
from echelon.oversight.notify.message import PersonMessage, clean


async def send(channel: NotifyChannel, message: PersonMessage, home: Path) -> None:
    """Deliver a message once; raise `NotDelivered`, without secrets, unless its receiver has it."""
    try:
        async with asyncio.timeout(channel.timeout_seconds):
            await _send(channel, message, home)
    except NotDelivered:
        raise
    except TimeoutError as error:
        raise NotDelivered(f"it was not delivered within {channel.timeout_seconds:g} s") from error
    except Exception as error:
        raise NotDelivered(f"{type(error).__name__}: {clean(str(error))}", passing=False) from error


async def _send(channel: NotifyChannel, message: PersonMessage, home: Path) -> None:
    match channel:
        case CommandChannel():
            await start_program(channel, message)
        case WebhookChannel():
            await post(channel, message)
        case EmailChannel():
            await send_mail(channel, message)
        case PrefectChannel():
            await use_block(channel, message, home)
