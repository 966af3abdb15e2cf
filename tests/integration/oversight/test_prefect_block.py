"""A message goes through a notification block of a real Prefect server (O8)."""

import os
import subprocess
import sys
from pathlib import Path

from echelon.testing.receivers import HttpReceiver
from tests.conftest import SharedServer

#: Another process, to which the server is one that somebody configured. It keeps a block there, and uses it.
SEND = """
import asyncio, sys
from pathlib import Path

from echelon import Notify
from echelon.engine.notify.sending import send
from echelon.model.errors import NotDelivered
from echelon.oversight.notify.message import PersonMessage


def keep_block() -> None:
    from prefect.blocks.notifications import CustomWebhookNotificationBlock as Block

    template = {"title": "{{subject}}", "text": "{{body}}"}
    Block(name="ops", url=sys.argv[1], json_data=template).save("ops", overwrite=True)


async def main(block: str) -> None:
    message = PersonMessage(key="k1", topic="gate", job="pay", run_id="r1", title="pay: <!here> @mia waits")
    try:
        await send(Notify.prefect(block), message, Path(sys.argv[2]))
    except NotDelivered as error:
        print(error)


keep_block()
asyncio.run(main("custom-webhook/ops"))
asyncio.run(main("custom-webhook/nobody"))
asyncio.run(main("secret/nobody"))
"""


def test_a_block_of_the_server_delivers_and_one_that_is_not_there_is_said(
    shared_server: SharedServer, tmp_path: Path
) -> None:
    environment = {**os.environ, **shared_server.client, "PREFECT_PROFILES_PATH": str(tmp_path / "profiles.toml")}
    with HttpReceiver() as receiver:
        sent = subprocess.run(
            [sys.executable, "-c", SEND, receiver.url, str(tmp_path)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )

    assert sent.returncode == 0, sent.stderr
    (message,) = receiver.messages
    assert message.body["title"] == "pay: <\u200b!here> @\u200bmia waits"
    assert message.body["text"].startswith("pay: <\u200b!here> @\u200bmia waits\nrun r1\n")
    said = sent.stdout.splitlines()
    assert [line.startswith("block ") and "nobody" in line for line in said] == [True, True]


def test_without_a_server_there_are_no_blocks(tmp_path: Path) -> None:
    code = SEND.replace("keep_block()\nasyncio", "asyncio")
    environment = {
        **os.environ,
        "PREFECT_PROFILES_PATH": str(tmp_path / "profiles.toml"),
        "PREFECT_HOME": str(tmp_path),
    }

    sent = subprocess.run(
        [sys.executable, "-c", code, "http://127.0.0.1:1", str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )

    assert sent.stdout.splitlines()[0] == "there is no Prefect server that keeps blocks; start one: echelon up"
