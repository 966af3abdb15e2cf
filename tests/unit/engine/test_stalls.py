"""An agent that blocks the event loop is named: nobody else could say why nothing goes on."""

import asyncio
import logging
import time

import pytest

from echelon.engine.stalls import watching_loop


def blocks(seconds: float) -> None:
    time.sleep(seconds)


def test_what_blocks_the_loop_is_named_with_its_place(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        with watching_loop(0.3):
            await asyncio.sleep(0.02)
            blocks(1.5)

    with caplog.at_level(logging.WARNING, "echelon.engine"):
        asyncio.run(main())

    messages = [record.getMessage() for record in caplog.records]
    assert messages
    assert f"in blocks, {__file__}:" in messages[0]
    assert len(messages) < 6  # it is said again when the time has doubled, and not at every look


def test_a_loop_that_turns_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        with watching_loop(5.0):
            for _ in range(20):
                await asyncio.sleep(0.01)

    asyncio.run(main())

    assert not caplog.records
