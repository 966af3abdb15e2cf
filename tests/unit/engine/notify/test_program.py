"""A message is given to a real program, without a shell (O8)."""

import json
import sys

import pytest

from echelon import Notify
from echelon.engine.notify.sending import send
from echelon.model.errors import NotDelivered
from echelon.oversight.notify.message import PersonMessage

pytestmark = pytest.mark.anyio

MESSAGE = PersonMessage(key="k1", topic="gate", job="pay", run_id="r1", title="$(touch pwned); `id`")


def program(code: str, *arguments: str, **options):
    return Notify.command([sys.executable, "-c", code, *arguments], **options)


async def test_it_reads_the_message_as_json(tmp_path) -> None:
    copy = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(sys.stdin.read())"

    await send(program(copy, str(tmp_path / "got")), MESSAGE, tmp_path)

    got = json.loads((tmp_path / "got").read_text())
    assert (got["key"], got["title"], got["run_id"]) == ("k1", MESSAGE.title, "r1")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import sys; sys.exit('no \\x1b[2J line')", "ended with exit code 1: no \\x1b[2J line"),
        ("print('x' * 2_000_000)", "printed more than 1,048,576 bytes"),
    ],
)
async def test_a_program_that_fails_says_why(code, said, tmp_path) -> None:
    with pytest.raises(NotDelivered) as caught:
        await send(program(code), MESSAGE, tmp_path)

    assert said in str(caught.value)


async def test_a_program_that_hangs_is_ended(tmp_path) -> None:
    with pytest.raises(NotDelivered, match=r"was not delivered within 0\.5 s") as caught:
        await send(program("import time; time.sleep(100)", timeout_seconds=0.5), MESSAGE, tmp_path)

    assert caught.value.passing


async def test_a_program_that_is_not_there_is_named(tmp_path) -> None:
    with pytest.raises(NotDelivered, match="no-such-program cannot be started") as caught:
        await send(Notify.command(["no-such-program"]), MESSAGE, tmp_path)

    assert not caught.value.passing


async def test_it_gets_the_variables_that_are_named_and_no_others(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PAGER_KEY", "open-sesame")
    monkeypatch.setenv("OTHER_KEY", "nobodys-business")
    shows = 'import os, sys; e = os.environ; sys.exit(f\'{"PAGER_KEY" in e} {"OTHER_KEY" in e} {e["PAGER_KEY"]}\')'

    with pytest.raises(NotDelivered, match=r"exit code 1: True False \[secret\]"):
        await send(program(shows, env=["PAGER_KEY"]), MESSAGE, tmp_path)
    monkeypatch.delenv("PAGER_KEY")
    with pytest.raises(NotDelivered, match="PAGER_KEY is not set"):
        await send(program(shows, env=["PAGER_KEY"]), MESSAGE, tmp_path)
