"""A phase as it was written: it becomes part of its job when all that it needs are; their order means nothing (X12)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel

from echelon.agents.agent import Agent, AgentLike
from echelon.agents.call import CallShape
from echelon.agents.decorators import PhaseIntegrator
from echelon.agents.fallback import Fallbacks
from echelon.definition.fallbacks import check_need, fallbacks_for
from echelon.definition.fitting import check_received, fitted
from echelon.definition.items import check_agent_name, check_range
from echelon.definition.need import Need
from echelon.definition.phase import PhaseDefinition
from echelon.definition.rolling.condition import Condition, condition_of
from echelon.definition.rolling.discovery import Over, discovery_of
from echelon.definition.rolling.repeat import Repeat, Repetition, repetition_of
from echelon.model.errors import InvalidJob
from echelon.model.graph import Coupling, ErrorConsequence
from echelon.model.policy import Resilience


@dataclass(frozen=True, kw_only=True)
class PhaseDeclaration:
    """What `Job.phase` was given."""

    name: str
    who: tuple[Agent, ...]
    over: Over | None
    takes_item: bool
    single: bool
    key: Callable[[Any], str]
    domain: Callable[[Any], str] | None
    items: tuple[int, int] | None
    needs: tuple[Need, ...]
    fallback: Fallbacks | None
    when: Condition | None
    repeat: Repeat | None
    integrate: PhaseIntegrator | AgentLike | None
    resilience: Resilience | None
    seconds: float | None
    tokens: int | None
    error_consequence: ErrorConsequence

    def check(self) -> None:
        """Refuse what contradicts itself, whatever the other phases are; `InvalidJob` says how."""
        name = self.name
        if self.takes_item != (self.over is not None):
            raise InvalidJob(f"phase {name!r}: `each` and `over` go together: an agent, and what finds its items")
        if self.items is not None and self.over is None:
            raise InvalidJob(f"phase {name!r}: `items` says how many `over` finds, and there is no `over`")
        check_range(name, self.items)
        if self.error_consequence not in get_args(ErrorConsequence):
            known = ", ".join(get_args(ErrorConsequence))
            raise InvalidJob(
                f"phase {name!r}: error_consequence={self.error_consequence!r} is not known; use one of {known}"
            )
        for one in self.who:
            check_agent_name(name, one.name)
        names = [need.phase for need in self.needs]
        if name in names:
            raise InvalidJob(f"phase {name!r} needs itself; to do it again, give it `repeat=`")
        twice = sorted({phase for phase in names if names.count(phase) > 1})
        if twice:
            raise InvalidJob(f"phase {name!r} needs {twice[0]!r} twice; state one coupling")

    def settle(self, phases: Mapping[str, PhaseDefinition], inputs_type: type[BaseModel]) -> PhaseDefinition:
        """Return the phase, given all those that it needs; `InvalidJob` when it does not fit what they hand on."""
        for need in self.needs:
            check_need(self.name, need, phases[need.phase])
        upstream = tuple(need.phase for need in self.needs if need.coupling is not Coupling.NONE)
        shape = CallShape(inputs_type=inputs_type, takes_item=self.takes_item, upstream=upstream)
        given = {needed: phases[needed] for needed in upstream}
        check_received(self.name, self.who, given)
        discovery = discovery_of(self.name, self.over, self.who[0], shape) if self.over else None
        condition = condition_of(self.name, self.when, shape) if self.when else None
        deciding = (discovery.finder if discovery else None, condition)
        check_received(self.name, tuple(one for one in deciding if one), given)
        return PhaseDefinition(
            name=self.name,
            agents=tuple(one.bind(shape) for one in self.who),
            discovery=discovery,
            key=self.key,
            domain=self.domain,
            items=self.items,
            needs=tuple(need.phase for need in self.needs),
            couplings={need.phase: need for need in self.needs},
            fallbacks={one.name: fallbacks_for(self.name, one, self.fallback, shape) for one in self.who},
            condition=condition,
            repetition=self._repetition(shape),
            integrator=None if self.integrate is None else fitted(self.name, self.integrate, self.who, shape),
            resilience=self.resilience or Resilience(),
            seconds=self.seconds,
            tokens=self.tokens,
            error_consequence=self.error_consequence,
            single=self.single,
        )

    def _repetition(self, shape: CallShape) -> Repetition | None:
        if self.repeat is None:
            return None
        return repetition_of(self.name, self.repeat, self.who, shape, integrates=self.integrate is not None)


def unsettled(job: str, waiting: Mapping[str, PhaseDeclaration], known: Sequence[str]) -> InvalidJob:
    """Say why phases cannot become part of their job: one that they need is not there, or they form a cycle."""
    for phase in waiting.values():
        unknown = [need.phase for need in phase.needs if need.phase not in waiting and need.phase not in known]
        if unknown:
            names = ", ".join(one for one in (*known, *waiting) if one != phase.name) or "none"
            return InvalidJob(
                f"phase {phase.name!r} needs {unknown[0]!r}, which is no phase of job {job!r} (those are: {names})"
            )
    path = [next(iter(waiting))]
    while path[-1] not in path[:-1]:
        path.append(next(need.phase for need in waiting[path[-1]].needs if need.phase in waiting))
    cycle = path[path.index(path[-1]) :]
    return InvalidJob(
        f"job {job!r}: phases wait for each other: {' needs '.join(map(repr, cycle))}; "
        "take one of these needs away, or repeat phases with `repeat=`"
    )
