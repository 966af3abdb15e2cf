"""A phase as it was written: it becomes part of its job when all that it needs are; their order means nothing (X12)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast, get_args

from pydantic import BaseModel

from echelon.agents.agent import Agent, AgentLike
from echelon.agents.asides.asides import asides_of_agent
from echelon.agents.call import CallShape
from echelon.agents.checks.criterion import Check
from echelon.agents.decorators import PhaseIntegrator
from echelon.agents.fallback import Fallbacks
from echelon.definition.conflicts.settle import Settle
from echelon.definition.conflicts.settling import settler_of
from echelon.definition.fallbacks import check_need, fallbacks_for, stand_ins_of
from echelon.definition.fitting import check_received, fitted
from echelon.definition.items import check_agent_name, check_range
from echelon.definition.need import Need
from echelon.definition.oversight.judges import judges_of
from echelon.definition.oversight.oversight import DEFAULT_OVERSIGHT, Oversight
from echelon.definition.phase import PhaseDefinition, integrating
from echelon.definition.redundancy.wish import RedundancyWish
from echelon.definition.reuse.asking import check_changes
from echelon.definition.reuse.unchanged import Reuse, ReuseLike, reuse_of
from echelon.definition.rolling.condition import Condition, condition_of
from echelon.definition.rolling.discovery import Over, discovery_of, foreseen_by, item_type_of
from echelon.definition.rolling.proposals import Proposals, check_most_taken
from echelon.definition.rolling.repeat import Repeat, Repetition, repetition_of
from echelon.definition.success.criteria import CheckBinder, Verifiers
from echelon.definition.success.success import NO_SUCCESS, StatedSuccess, Success, success_of
from echelon.definition.sync.sync import PhaseSync, StatedSync, check_sync, sync_of
from echelon.definition.touched import Touches, check_touches
from echelon.model.errors import InvalidJob
from echelon.model.graph import Coupling, ErrorConsequence
from echelon.model.oversight.terms import Gate, GateLike, gate_of
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
    foresee: Callable[..., Iterable[object]] | None
    needs: tuple[Need, ...]
    fallback: Fallbacks | None
    when: Condition | None
    repeat: Repeat | None
    reuse: ReuseLike | None
    redundancy: RedundancyWish
    success: StatedSuccess
    verify: Verifiers | None
    integrate: PhaseIntegrator | AgentLike | None
    resilience: Resilience | None
    seconds: float | None
    tokens: int | None
    error_consequence: ErrorConsequence
    priority: int
    touches: Touches
    capability: str | None
    gate: Gate | None
    settles: Settle | None = None
    flat: bool = False
    sync: StatedSync | None
    stop: Check | None

    def check(self) -> None:
        """Refuse what contradicts itself, whatever the other phases are; `InvalidJob` says how."""
        name = self.name
        if self.takes_item != (self.over is not None):
            raise InvalidJob(f"phase {name!r}: `each` and `over` go together: an agent, and what finds its items")
        if self.items is not None and self.over is None:
            raise InvalidJob(f"phase {name!r}: `items` says how many `over` finds, and there is no `over`")
        check_range(name, self.items)
        check_most_taken(name, self.over, self.items)
        if self.error_consequence not in get_args(ErrorConsequence):
            known = ", ".join(get_args(ErrorConsequence))
            raise InvalidJob(
                f"phase {name!r}: error_consequence={self.error_consequence!r} is not known; use one of {known}"
            )
        self._check_turns()
        for one in self.who:
            check_agent_name(name, one.name)
        self.redundancy.check(name)
        check_sync(name, self.sync, self.stop, has_domains=self.domain is not None, has_items=self.takes_item)
        names = [need.phase for need in self.needs]
        if name in names:
            raise InvalidJob(f"phase {name!r} needs itself; to do it again, give it `repeat=`")
        twice = sorted({phase for phase in names if names.count(phase) > 1})
        if twice:
            raise InvalidJob(f"phase {name!r} needs {twice[0]!r} twice; state one coupling")

    def _check_turns(self) -> None:
        """Refuse what cannot decide who works with whom, and when."""
        check_touches(self.name, self.touches, takes_item=self.takes_item)
        if isinstance(self.priority, bool) or not isinstance(cast("object", self.priority), int):
            raise InvalidJob(f"phase {self.name!r}: priority={self.priority!r} is no whole number; higher comes first")
        if self.capability is not None and not self.capability.strip():
            raise InvalidJob(f"phase {self.name!r}: capability={self.capability!r} names none; leave it out")

    def settle(
        self,
        phases: Mapping[str, PhaseDefinition],
        inputs_type: type[BaseModel],
        oversight: Oversight = DEFAULT_OVERSIGHT,
    ) -> PhaseDefinition:
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
        integrator = None if self.integrate is None else fitted(self.name, self.integrate, self.who, shape)
        agents, reuse = tuple(one.bind(shape) for one in self.who), self._reuse(shape, integrator)
        upstream_keeps = any(one.reuse is not None for one in given.values())
        check_changes(self.name, agents, known=upstream_keeps, of="what it needs")
        check_changes(self.name, integrating(integrator), known=reuse is not None, of="the phase")
        fallbacks = {one.name: fallbacks_for(self.name, one, self.fallback, shape) for one in self.who}
        redundancy = self.redundancy.settle(self.name, self.who, shape, self.seconds)
        others = (*stand_ins_of(fallbacks), *redundancy.agents)
        success, who = self._success(shape, others), (*self.who, *others)
        return PhaseDefinition(
            name=self.name,
            agents=agents,
            discovery=discovery,
            foreseen=foreseen_by(self.name, self.foresee, discovery, inputs_type),
            key=self.key,
            domain=self.domain,
            items=self.items or (self.over.items if isinstance(self.over, Proposals) else None),
            needs=tuple(need.phase for need in self.needs),
            couplings={need.phase: need for need in self.needs},
            fallbacks=fallbacks,
            condition=condition,
            repetition=self._repetition(shape),
            success=success,
            judges=judges_of(self.name, oversight, who, shape, success, integrating(integrator)),
            reuse=reuse,
            redundancy=redundancy,
            integrator=integrator,
            resilience=self.resilience or Resilience(),
            seconds=self.seconds,
            tokens=self.tokens,
            error_consequence=self.error_consequence,
            priority=self.priority,
            touches=self.touches,
            capability=self.capability,
            gate=self.gate,
            settler=self._settler(inputs_type),
            flat=self.flat,
            sync=self._sync(shape, is_checked=success != NO_SUCCESS),
            single=self.single,
        )

    def _success(self, shape: CallShape, others: Sequence[Agent]) -> Success:
        """Return what is taken for success, of what its agents make and of what others do in their place."""
        binder = CheckBinder(phase=self.name, who=(*self.who, *others), shape=shape)
        return success_of(binder, self.success, self.verify, self.who, has_domains=self.domain is not None)

    def _reuse(self, shape: CallShape, integrator: PhaseIntegrator | None) -> Reuse | None:
        if self.reuse is None:
            return None
        if self.repeat is not None:
            raise InvalidJob(
                f"phase {self.name!r}: work that is repeated until a check passes cannot be kept; leave out "
                "reuse= or repeat="
            )
        if self.redundancy.is_wanted:
            raise InvalidJob(
                f"phase {self.name!r}: work that several may do cannot be kept; leave out reuse=, or "
                "replicas= and standby="
            )
        worker = self.who[0].bind(shape) if self.takes_item else None
        who = (*self.who, *integrating(integrator))
        item_type = item_type_of(worker) if worker else None
        receives = bool(shape.upstream)
        return reuse_of(self.name, self.reuse, who, shape.inputs_type, item_type=item_type, receives=receives)

    def _settler(self, inputs_type: type[BaseModel]) -> Agent | None:
        if self.settles is None:
            return None
        return settler_of(f"phase {self.name!r}", self.settles, self.who, inputs_type)

    def _sync(self, shape: CallShape, *, is_checked: bool) -> PhaseSync | None:
        if self.stop is not None and self.repeat is not None:
            raise InvalidJob(
                f"phase {self.name!r}: work that is repeated until a check passes cannot end before; leave out stop= "
                "or repeat="
            )
        consequence = self.error_consequence
        return sync_of(self.name, self.sync, self.stop, shape, error_consequence=consequence, is_checked=is_checked)

    def _repetition(self, shape: CallShape) -> Repetition | None:
        if self.repeat is None:
            return None
        return repetition_of(self.name, self.repeat, self.who, shape, integrates=self.integrate is not None)


def stated_gate(phase: str, stated: GateLike | None, who: Sequence[Agent] = (), *, staged: bool = False) -> Gate | None:
    """Return the terms of the gate of a phase, in which `who` work; `InvalidJob` for what is none.

    What is `staged` is recorded and shown first, so those who work in it say what they would do.
    """
    found = gate_of(stated)
    if found is not None and not isinstance(found, Gate):
        raise InvalidJob(f"phase {phase!r}: gate= takes True, a reason or a Gate(...), not a {type(found).__name__}")
    if not staged:
        return found
    for one in who:
        if one.effect == "read":
            raise InvalidJob(f'phase {phase!r}: {one.name!r} changes nothing that could be staged; say effect="write"')
        if asides_of_agent(one).preview is None:
            raise InvalidJob(f"phase {phase!r}: {one.name!r} cannot be staged, since it does not say what it would do")
    return (found or Gate(asks_ready=False)).model_copy(update={"staged": True})


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
