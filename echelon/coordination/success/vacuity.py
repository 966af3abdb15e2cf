"""What is known of checks: whether they verify anything (D11)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class KnownChecks:
    """What is known of the checks of one run, each set of them found out once."""

    _found: dict[tuple[str, ...], str] = field(default_factory=dict[tuple[str, ...], str])
    _locks: dict[tuple[str, ...], asyncio.Lock] = field(default_factory=dict[tuple[str, ...], asyncio.Lock])

    async def why_vacuous(self, checks: tuple[str, ...], find: Callable[[], Awaitable[str]]) -> str:
        """Say why checks verify nothing, as `find` finds it out; empty when they do.

        `checks` tells them apart: the phase, the contract of what they check, and their names.
        """
        async with self._locks.setdefault(checks, asyncio.Lock()):
            if checks not in self._found:
                self._found[checks] = await find()
            return self._found[checks]
