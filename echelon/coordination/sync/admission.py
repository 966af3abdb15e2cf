"""Lets the agents of a wave begin as there is room for them, and no more once the wave has ended early (X3, X13)."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterable
from contextlib import asynccontextmanager

from echelon.coordination.context import RunContext
from echelon.model.graph import CapacityLimit, TaskSpec
from echelon.model.handoff import Handoff
from echelon.model.sync.policy import SyncPolicyTerms
from echelon.oversight.sync.revealing import is_event, urgent_concerns


class Admission:
    """The door of one wave. An agent that was let in does its tasks, whatever happens meanwhile.

    One at least is let in, so that every wave comes to something.
    """

    def __init__(self, run: RunContext, terms: SyncPolicyTerms, tasks: Collection[str]) -> None:
        self._run = run
        self._terms = terms
        self._planned = len(tasks)
        self._room = asyncio.Semaphore(room_for(run, tasks))
        self._ended: list[Handoff] = []
        self._admitted: set[str] = set()
        self.closed = False
        """Has it ended early?"""

    @asynccontextmanager
    async def turn(self, tasks: Collection[str]) -> AsyncGenerator[bool]:
        """Wait for room; yields whether who does these tasks may begin."""
        async with self._room:
            self.closed = self.closed or self._is_event()
            self._admitted.update(() if self.closed else tasks)
            yield not self.closed

    def over(self, handoffs: Iterable[Handoff]) -> None:
        """Take note of what has ended."""
        self._ended += handoffs

    def _is_event(self) -> bool:
        # Of those who were let in only: a run that is resumed lets in, and recalls, just those who ended the wave.
        urgent = bool(urgent_concerns(self._run.log.state, self._admitted))
        return is_event(self._terms, self._planned, self._ended, urgent=urgent)


def room_for(run: RunContext, tasks: Collection[str]) -> int:
    """Return how many agents of these tasks may be at work at one time, by the limits that hold for all of them (F5).

    Where a person is asked before a task begins, nobody waits behind it.
    """
    specs = [run.spec.tasks[task] for task in tasks]
    if any(task.at_gate for task in specs):
        return len(specs)
    bounds = [one.at_once for one in run.spec.plan.limits if one.at_once and _bounds_all(one, specs)]
    return max(1, min([*bounds, len(specs)]))


def _bounds_all(limit: CapacityLimit, specs: Collection[TaskSpec]) -> bool:
    if limit.thing is not None:
        return False
    kinds = limit.kind is None or all(task.kind == limit.kind for task in specs)
    return kinds and (limit.provider is None or all(task.provider == limit.provider for task in specs))
