"""A message goes through a notification block of the Prefect server, loaded in a process of its own.

    python -m echelon.engine.notify.prefect_block       # {"home", "api_url", "block", "subject", "body"} on stdin

Whoever delivers messages is at work on a run, and importing Prefect would keep it from that for a second.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from echelon.agents.processes.process import run_process
from echelon.engine.bytecode import bytecode_environment
from echelon.engine.notify.program import PRINTED_BYTES, check_exit
from echelon.engine.server.handle import ServerHandle, ServerKind, resolve_server
from echelon.model.adapter import JsonObject
from echelon.model.errors import NotDelivered
from echelon.model.oversight.channel import PrefectChannel
from echelon.model.phrasing import one_line
from echelon.oversight.notify.message import PersonMessage
from echelon.oversight.notify.shapes import as_text, defused
from echelon.redaction import redact


async def use_block(channel: PrefectChannel, message: PersonMessage, home: Path) -> None:
    """Send a message through a block; raise `NotDelivered` where there is no server, no such block, or it fails."""
    server = resolve_server(home)
    if server.kind is ServerKind.EMBEDDED:
        raise NotDelivered("there is no Prefect server that keeps blocks; start one: echelon up", passing=False)
    order = {
        "home": str(home),
        "kind": server.kind.value,
        "api_url": server.url,
        "block": channel.block,
        "subject": defused(message.title),
        "body": defused(as_text(message)),  # what the block makes of it is not known here
    }
    finished = await run_process(
        [sys.executable, "-P", "-m", "echelon.engine.notify.prefect_block"],
        cwd=home,  # Prefect reads settings from the working folder, which may be anybody's
        env={**os.environ, **bytecode_environment()},
        stdin=json.dumps(order).encode(),
        limit_bytes=PRINTED_BYTES,
    )
    check_exit(f"block {channel.block}", finished)


async def _deliver(order: JsonObject) -> None:
    handle = ServerHandle(ServerKind(order["kind"]), order["api_url"], Path(order["home"]))
    with handle.start():
        from prefect.blocks.core import Block
        from prefect.blocks.notifications import (
            NotificationBlock,  # pyright: ignore[reportPrivateImportUsage] - imported from there, all kinds are known
        )

        block = await Block.aload(order["block"])
        if not isinstance(block, NotificationBlock):
            raise TypeError(f"{order['block']} is a block of type {type(block).__name__}, which notifies nobody")
        await block.notify(order["body"], order["subject"])


def main() -> int:
    """Carry out the order on the standard input; say on the standard error why it cannot be."""
    try:
        asyncio.run(_deliver(json.load(sys.stdin)))
    except Exception as error:  # noqa: BLE001 - whatever a block raises is why the message was not delivered
        sys.stderr.write(f"{redact(one_line(error)) or type(error).__name__}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
