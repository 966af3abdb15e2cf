"""Lets the agents of a wave begin as there is room for them, and no more once the wave has ended early (X3, X13)."""

from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import asynccontextmanager

from echelon.coordination.conflicts.statements import statements_of
from echelon.coordination.context import RunContext
from echelon.model.graph import CapacityLimit, TaskSpec
from echelon.model.handoff import Handoff
from echelon.model.policy import BulkheadPolicy
from echelon.model.sync.policy import SyncPolicyTerms
from echelon.oversight.conflicts.claimed import Claimed
from echelon.oversight.sync.revealing import is_event, urgent_concerns
from echelon.oversight.sync.rhythm import NextWave
from echelon.resilience.bulkhead import Bulkhead, Slot


class Admission:
    """The door of one wave. An agent that was let in does its tasks, whatever happens meanwhile.

    One at least is let in, so that every wave comes to something. `on_ended` takes what each has handed on; `claimed`
    is what was claimed before it, and is asked where a contradiction ends a wave.
    """

    def __init__(
        self,
        run: RunContext,
        terms: SyncPolicyTerms,
        wave: NextWave,
        on_ended: Callable[[Sequence[Handoff]], None],
        claimed: Claimed,
    ) -> None:
        self._run = run
        self._terms = terms
        self._planned = len(wave.tasks)
        self._phase = run.spec.phase_of[wave.tasks[0]]
        policy = BulkheadPolicy(max_concurrency=room_for(run, wave.tasks), max_queue=None)
        self._room = Bulkhead("wave", policy)
        for holding in wave.holdings:
            self._slot(holding).reserve(1)
        self._on_ended = on_ended
        self._claimed = claimed
        self._contradicted = False
        self._ended: list[Handoff] = []
        self._admitted: set[str] = set()
        self.closed = False
        """Has it ended early?"""

    @asynccontextmanager
    async def turn(self, tasks: Sequence[str]) -> AsyncGenerator[bool]:
        """Wait for room; yields whether who does these tasks may begin.

        Who is let in waits for a slot next: domains come in by the same fair shares, so that no slot stays free for
        one whose agents are not let in (F5).
        """
        slot = self._slot(tasks)
        try:
            async with slot:
                self.closed = self.closed or self._is_event()
                self._admitted.update(() if self.closed else tasks)
                yield not self.closed
        finally:
            slot.reserve(-1)

    async def over(self, handoffs: Sequence[Handoff]) -> None:
        """Take note of what has ended."""
        self._ended += handoffs
        self._on_ended(handoffs)
        if "conflict" in self._terms.events:
            said = await statements_of(self._run, self._phase, handoffs, least=1)
            self._contradicted = self._claimed.add(said) or self._contradicted

    def _slot(self, tasks: Sequence[str]) -> Slot:
        """Return the room of those who do these tasks: one agent, of one domain."""
        spec, first = self._run.spec, tasks[0]
        domain = spec.plan.domain_of(first, spec.plan.agent_of[first])
        return self._room.slot(domain, max(spec.tasks[task].priority for task in tasks))

    def _is_event(self) -> bool:
        # Of those who were let in only: a run that is resumed lets in, and recalls, just those who ended the wave.
        urgent = bool(urgent_concerns(self._run.log.state, self._admitted))
        return is_event(self._terms, self._planned, self._ended, urgent=urgent, conflict=self._contradicted)


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
