"""What the machines that try sequences of events on a journal have in common."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from itertools import count
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from echelon.journal.port import Journal
from echelon.testing.journal import MemoryJournal

Open = Callable[[], AbstractAsyncContextManager[Journal]]


class JournalMachine(RuleBasedStateMachine):
    """A journal that is written to, and whose process may end at any time."""

    _prefixes = count(1)

    def __init__(self, open_journal: Open) -> None:
        super().__init__()
        self.prefix = f"s{next(self._prefixes)}"
        self._open = open_journal
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._journal = self._do(self._stack.enter_async_context(open_journal()))

    def teardown(self) -> None:
        self._do(self._stack.aclose())
        self._runner.close()

    @rule()
    def crash(self) -> None:
        """Another process goes on, which knows what is on record and nothing else."""
        self._do(self._stack.aclose())
        self._stack = AsyncExitStack()
        self._journal = self._do(self._stack.enter_async_context(self._open()))

    def _do(self, work: Awaitable[Any]) -> Any:
        async def wait() -> Any:
            return await work

        return self._runner.run(wait())

    @classmethod
    def walk(cls, opener: Callable[[], Open], sequences: int, steps: int) -> None:
        """Try many sequences of so many steps, each on the journal that its opener opens."""
        before = next(cls._prefixes)
        run_state_machine_as_test(
            lambda: cls(opener()),
            settings=settings(
                max_examples=sequences,
                stateful_step_count=steps,
                deadline=None,
                derandomize=True,
                phases=(Phase.generate, Phase.shrink),
                suppress_health_check=list(HealthCheck),
            ),
        )

        assert next(cls._prefixes) - before > sequences, "each of them was tried"


def in_memory() -> Open:
    """Open a journal in memory of its own, again and again."""
    memory = MemoryJournal()

    @asynccontextmanager
    async def beside():
        yield memory.beside()

    return beside
