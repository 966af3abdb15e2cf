"""Asking the journal from a command: open it, ask, close it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from echelon.cli.arguments.configured import read_settings
from echelon.journal.journal import SqlJournal
from echelon.journal.port import Journal

T = TypeVar("T")


def query(question: Callable[[Journal], Awaitable[T]]) -> T:
    """Return the answer of the journal to a question; raise `JournalError` when it cannot be read."""

    async def run() -> T:
        async with SqlJournal.open(read_settings()) as journal:
            return await question(journal)

    return asyncio.run(run())
