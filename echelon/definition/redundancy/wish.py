"""Replicas and a standby, checked where the job is written: they do the same, and do no harm twice (F9)."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass

from echelon.agents.agent import Agent, AgentLike, HoldsAgents
from echelon.agents.call import CallShape
from echelon.contract.fit import unfit
from echelon.definition.fitting import as_agent
from echelon.definition.items import check_agent_name
from echelon.definition.redundancy.redundancy import DONE_ONCE, AgreeOn, Redundancy, Replicas
from echelon.definition.rolling.repeat import is_same_worker
from echelon.model.errors import InvalidJob
from echelon.model.graph import MAX_REPLICAS
from echelon.model.redundancy.replicas import why_not_agreed

#: A standby takes over when the first one is at work for so many times as long as its phase expects.
LATE_FACTOR = 2.0


@dataclass(frozen=True, kw_only=True)
class RedundancyWish:
    """What `Job.phase` was told about replicas and a standby."""

    replicas: Replicas = 1
    agree: int = 1
    agree_on: AgreeOn | None = None
    standby: AgentLike | None = None
    standby_after: float | None = None

    @property
    def is_wanted(self) -> bool:
        """May more than one do a task?"""
        return self._number > 1 or self.standby is not None

    def check(self, phase: str) -> None:
        """Refuse what contradicts itself, whoever does the work; `InvalidJob` says how."""
        where, number = f"phase {phase!r}", self._number
        if number < 1 or number > MAX_REPLICAS:
            raise InvalidJob(f"{where}: replicas={number} is not possible; 1 to {MAX_REPLICAS} may do a task")
        wrong = why_not_agreed(number, self.agree)
        if wrong:
            raise InvalidJob(f"{where}: {wrong}")
        if self.standby is not None and number > 1:
            raise InvalidJob(
                f"{where}: a standby waits and replicas do not; give it `replicas` or `standby`, not both of them"
            )
        if self.standby_after is not None and (self.standby is None or self.standby_after <= 0):
            why = "there is no standby" if self.standby is None else "it must be more than 0 seconds"
            raise InvalidJob(f"{where}: standby_after={self.standby_after:g}: {why}")
        if self.agree_on is not None and (self.agree == 1 or inspect.iscoroutinefunction(self.agree_on)):
            why = "nothing has to agree; state `agree=2`" if self.agree == 1 else "it must be a function without async"
            raise InvalidJob(f"{where}: agree_on: {why}")

    def settle(self, phase: str, who: Sequence[Agent], shape: CallShape, seconds: float | None) -> Redundancy:
        """Return the redundancy of a phase, bound to what its calls carry; `InvalidJob` where it makes no sense."""
        others = self._others(phase, who)
        standby = None if self.standby is None else as_agent(f"phase {phase!r}: standby", self.standby)
        if self._number == 1 and standby is None:
            return DONE_ONCE
        what = "replicas" if standby is None else "a standby"
        for one in (*who, *others, *((standby,) if standby else ())):
            check_may_be_done_twice(f"phase {phase!r}", one, what)
        for one in (*others, *((standby,) if standby else ())):
            check_agent_name(phase, one.name)
            _check_same_contract(phase, one, who)
        return Redundancy(
            others=tuple(one.bind(shape) for one in others),
            replicas=self._number,
            agree=self.agree,
            agree_on=self.agree_on,
            standby=standby and standby.bind(shape),
            late_seconds=self.standby_after or (seconds and seconds * LATE_FACTOR),
        )

    @property
    def _number(self) -> int:
        return self.replicas if isinstance(self.replicas, int) else len(self.replicas)

    def _others(self, phase: str, who: Sequence[Agent]) -> tuple[Agent, ...]:
        """Return the replicas that are other agents: the agent of the phase is the first of those that are named."""
        if isinstance(self.replicas, int):
            return ()
        where = f"phase {phase!r}: replicas"
        named = [as_agent(where, one) for one in self.replicas]
        if len(who) != 1 or not named or not is_same_worker(named[0], who[0]):
            raise InvalidJob(
                f"{where} names who does each task at the same time: begin with the one agent of the phase"
                + (f", {who[0].name!r}" if len(who) == 1 else ", which must have one")
            )
        twice = sorted({one.name for one in named if [other.name for other in named].count(one.name) > 1})
        if twice:
            raise InvalidJob(f"{where} names {twice[0]!r} twice; say replicas={len(named)} where one agent does it all")
        return tuple(named[1:])


def check_may_be_done_twice(where: str, agent: Agent, what: str) -> None:
    """Refuse replicas or a standby of work that changes the world, or has a run of its own; `InvalidJob`."""
    if agent.effect != "read":
        raise InvalidJob(
            f"{where}: {agent.name!r} changes the world (effect={agent.effect!r}), and with {what} it would be done "
            "twice; leave them out, or let an agent that only reads decide and another one act"
        )
    if isinstance(agent, HoldsAgents):
        raise InvalidJob(
            f"{where}: {agent.name!r} is a job, which has one run for each task; give {what} to the phases inside of it"
        )


def _check_same_contract(phase: str, other: Agent, who: Sequence[Agent]) -> None:
    for one in who:
        why = unfit(other.output_type, one.output_type)
        if why:
            raise InvalidJob(f"phase {phase!r}: {other.name!r} must keep the contract of {one.name!r}, and makes {why}")
