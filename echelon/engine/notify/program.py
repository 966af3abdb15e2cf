"""A message is given to a program: JSON on its standard input, no shell, exit code 0 for delivered."""

import json

from echelon.agents.environment import Environment
from echelon.agents.processes.process import Finished, run_process
from echelon.engine.notify.variables import secret_of
from echelon.model.errors import NotDelivered
from echelon.model.oversight.channel import CommandChannel
from echelon.oversight.notify.message import PersonMessage, clean
from echelon.oversight.notify.shapes import as_json

#: What it may print, in bytes; nothing of it is used but the end of its standard error where it fails.
PRINTED_BYTES = 1024 * 1024


async def start_program(channel: CommandChannel, message: PersonMessage) -> None:
    """Give a message to a program; raise `NotDelivered` unless it ends with exit code 0."""
    for name in channel.env:
        secret_of(name)
    environment = Environment(passed=channel.env).of()
    stdin = json.dumps(as_json(message)).encode()
    try:
        finished = await run_process(channel.argv, env=environment, stdin=stdin, limit_bytes=PRINTED_BYTES)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise NotDelivered(f"{clean(channel.argv[0])} cannot be started: {clean(why)}", passing=False) from error
    check_exit(clean(channel.argv[0]), finished)


def check_exit(name: str, finished: Finished) -> None:
    """Raise `NotDelivered` unless a program says that it delivered the message."""
    if finished.stdout is None:
        raise NotDelivered(f"{name} printed more than {PRINTED_BYTES:,} bytes and was ended", passing=False)
    if finished.exit_code != 0:
        said = clean(finished.stderr_tail.decode(errors="replace"))
        raise NotDelivered(f"{name} ended with exit code {finished.exit_code}{f': {said}' if said else ''}")
