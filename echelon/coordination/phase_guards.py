"""What guards the calls of one phase; made once an agent, since making it is slow.

Those of a phase are the same in all its waves, and for whoever judges it; a deadline counts for one order of it.
"""

from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from itertools import chain

from echelon.agents.agent import Agent
from echelon.coordination.context import RunContext
from echelon.coordination.guarding import KnownGuard, KnownGuards
from echelon.definition.phase import PhaseDefinition
from echelon.model.graph import TaskSpec
from echelon.model.usage import Budget
from echelon.resilience.budget import Account
from echelon.resilience.guard import Guard


class PhaseGuards:
    """Guards of one phase. `deadline_seconds` is how long those who need it wait; None is for any time (C4)."""

    def __init__(self, run: RunContext, phase: PhaseDefinition, deadline_seconds: float | None) -> None:
        self._run = run
        self._phase = phase
        bound, name = Budget(seconds=deadline_seconds), f"phase {phase.name!r}"
        self._account = Account(bound, name, run.guarding.account) if deadline_seconds else None
        self._guards: KnownGuards = {} if self._account else run.guarding.known.setdefault(phase.name, {})
        #: By task that has not ended.
        self._coming: dict[str, list[Guard]] = {}

    @contextmanager
    def reserved_slots(self, work: Iterable[tuple[TaskSpec, Agent, str]]) -> Generator[None]:
        """Reserve slots for the calls of tasks, each until it is `over`: task, agent, domain (F5).

        A task that several do at the same time is there as often (F9).
        """
        self._coming = {}
        for task, agent, domain in work:
            self._coming.setdefault(task.id, []).append(self.guard(agent, domain, task=task))
        for guard, calls in Counter(chain.from_iterable(self._coming.values())).items():
            guard.reserve(calls)
        try:
            yield
        finally:
            for task in tuple(self._coming):  # cancelled before it began
                self.over(task)

    def over(self, task_id: str) -> None:
        """Reserve no slot for a task any longer."""
        for guard in self._coming.pop(task_id, ()):
            guard.reserve(-1)

    def guard(self, agent: Agent, domain: str = "", *, integrates: bool = False, task: TaskSpec | None = None) -> Guard:
        """Return what guards the calls of an agent, for one domain: those of its tasks, or of its integrations.

        `task` is what is done; whoever only looks at something, or decides, does none.
        """
        priority, touches = (task.priority, task.touches) if task else (0, ())
        key = (id(agent), domain, integrates, priority, touches)
        known = self._guards.get(key)
        if known is not None:
            return known.guard
        guard = self._make(agent, domain, integrates, priority, touches)
        self._guards[key] = KnownGuard(agent, guard)
        return guard

    def _make(self, agent: Agent, domain: str, integrates: bool, priority: int, touches: Sequence[str]) -> Guard:
        inherited = self._phase.resilience.over(self._run.spec.job.defaults)
        if integrates:  # phase and job state what one task may use; an integration has the budget of its agent
            inherited = inherited.model_copy(update={"budget": None})
        policy = agent.resilience.over(inherited)
        # The agents are out of time, never the integration of what they made.
        account = None if integrates else self._account
        fallback = not integrates and self._has_fallback(agent)
        # Phases side by side have a fair share each, and in each phase its domains (F5, X12).
        tenant = f"{self._phase.name}/{domain}"
        return self._run.guarding.guard(
            agent,
            policy,
            account,
            domain,
            tenant=tenant,
            priority=priority,
            touches=touches,
            has_fallback=fallback,
        )

    def _has_fallback(self, agent: Agent) -> bool:
        """Say whether something stands in when an agent, or one that stands in itself, does not deliver (F2)."""
        if any(agent is one for one in self._phase.agents):
            return bool(self._phase.fallbacks.get(agent.name)) or self._phase.redundancy.standby is not None
        chains = self._phase.fallbacks.values()
        return any(fallback.other is agent for chain in chains for fallback in chain[:-1])
