"""The results of one phase when its sync point is passed: what is decided about each, and whose records that shows."""

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from echelon.agents.agent import HoldsAgents
from echelon.agents.fingerprint.agent import fingerprint_of
from echelon.contract.version import contract_name
from echelon.coordination.autonomy.situations import Made, Situations
from echelon.coordination.autonomy.trials import Trial, is_own_work, judged_tasks, stated_by, trials_of
from echelon.coordination.context import RunContext
from echelon.journal.digest import digest_of
from echelon.model.autonomy.decisions import AgentStanding, ResultDecision
from echelon.model.autonomy.terms import DEFAULT_TERMS, Band
from echelon.model.autonomy.track import Track
from echelon.model.run import StepKind, StepRecord
from echelon.oversight.autonomy.deciding import Decision, Situation, decide
from echelon.runlog.judging.autonomy import AgentVersion

#: What is decided about.
_RESULTS = (StepKind.TASK, StepKind.INTEGRATION)


class Undecided(NamedTuple):
    """A result that does not proceed by itself."""

    decision: ResultDecision
    """What is put on record of it."""
    beyond_lead: bool
    """Is it outside of the authority of a lead?"""
    urgent: bool
    """Is it doubted, with work behind it that cannot be undone?"""


class PhaseResults:
    """The results of a phase that are there: those of its tasks, and of its integrations."""

    def __init__(self, run: RunContext, phase: str) -> None:
        self._autonomy = run.spec.job.oversight.autonomy
        self.terms = self._autonomy.terms if self._autonomy else DEFAULT_TERMS
        self._run = run
        self._phase = phase
        self._situations = Situations(run, run.spec.job.phases[phase], self.terms)
        self._integrator = run.spec.job.phases[phase].integrator
        found = (step for step in run.log.state.latest.values() if step.phase == phase and step.kind in _RESULTS)
        self.steps = [step for step in found if step.handoff.done and not step.interim]

    @cached_property
    def identity(self) -> str:
        """Identity of all of them, and of what was judged."""
        judged = sorted((one.record.handoff.task_id, one.record.handoff.version, one.right) for one in self._trials)
        return digest_of([sorted((step.handoff.task_id, step.handoff.version) for step in self.steps), judged])

    def undecided(self) -> Iterator[Undecided]:
        """Yield those that do not simply proceed; what was decided about the same result stands."""
        before = self._run.log.state.autonomy.get(self._phase)
        known = {one.task_id: one for one in before.decisions} if before else {}
        for step in self.steps:
            earlier = known.get(step.handoff.task_id)
            if earlier is not None and earlier.version == step.handoff.version:
                yield Undecided(self.as_known(earlier), beyond_lead=True, urgent=False)
                continue
            found = self._decide(step)
            if found is not None:
                yield found if earlier is None else self._still_asked(found, earlier)

    def as_known(self, earlier: ResultDecision) -> ResultDecision:
        """Return what was decided about a result, with whether somebody has judged it since."""
        return earlier.model_copy(update={"judged": earlier.task_id in self._judged})

    def _still_asked(self, found: Undecided, earlier: ResultDecision) -> Undecided:
        """Return what is decided about a newer result: while a person is asked about the older one, not once more."""
        asked = self._run.log.state.concerns.get(earlier.concern)
        if asked is None or not asked.is_open:
            return found
        return found._replace(decision=found.decision.model_copy(update={"concern": earlier.concern}))

    def standings(self) -> tuple[AgentStanding, ...]:
        """Return the record of each agent that has a result here, or had one rejected."""
        own: dict[AgentVersion, Track] = {}
        kinds: dict[AgentVersion, set[str]] = {}
        made_here = (step for step in self.steps if self._autonomy and is_own_work(step.handoff))
        for step in filter(self._is_known, made_here):
            maker = self._maker(step)
            own.setdefault(maker, Track())
            kinds.setdefault(maker, set()).add(self._kind_of(step))
        for trial in self._trials:
            maker = self._maker(trial.record)
            own[maker] = own.get(maker, Track()) + trial.track
        known = self._run.log.known_agents
        return tuple(
            AgentStanding(
                agent=one.agent,
                code=one.code,
                before=known.track_of(one),
                own=track,
                kinds=tuple(sorted(kinds.get(one, ()))),
            )
            for one, track in own.items()
        )

    @cached_property
    def _trials(self) -> tuple[Trial, ...]:
        if self._autonomy is None:
            return ()
        return tuple(one for one in trials_of(self._run.log.state, self._phase) if self._is_known(one.record))

    @cached_property
    def _judged(self) -> frozenset[str]:
        return judged_tasks(self._trials)

    def _is_known(self, step: StepRecord) -> bool:
        """Say whether the job as it is now still has somebody who makes it."""
        in_plan = self._run.spec.expansion.calls
        return step.handoff.task_id in in_plan if step.kind is StepKind.TASK else self._integrator is not None

    def _made(self, step: StepRecord) -> Made:
        return self._situations.maker(step.handoff, step.code)

    def _maker(self, step: StepRecord) -> AgentVersion:
        """Return who made a result: an agent of a task, or what integrates."""
        if step.kind is StepKind.TASK:
            return self._made(step).version
        if self._integrator is None:
            return AgentVersion(step.node, step.code)
        agent = self._integrator.agent_of(self._phase, step.handoff.task_id)
        return AgentVersion(agent.name, step.code or fingerprint_of(agent))

    def _kind_of(self, step: StepRecord) -> str:
        if step.kind is StepKind.TASK:
            return self._situations.kind_of(self._made(step))
        assert self._integrator is not None, "asked of what is known"
        return contract_name(self._integrator.agent_of(self._phase, step.handoff.task_id).output_type)

    def _decide(self, step: StepRecord) -> Undecided | None:
        if self._autonomy is None:
            return self._by_own_doubt(step)
        if step.kind is StepKind.INTEGRATION:
            return self._by_record(step)
        if step.handoff.kept_from:  # it was decided about where it was done
            return None
        made = self._made(step)
        if made.agent.effect == "irreversible":  # a person decided about it at its gate
            return self._by_own_doubt(step)
        situation = self._situations.of(made)
        found = decide(situation, self.terms)
        if found.band is Band.PROCEED:
            return None
        urgent = situation.reach.irreversible and situation.estimate.value < self.terms.escalate
        record = self._on_record(step, made.version, found, situation.estimate.value)
        return Undecided(record, found.beyond_lead, urgent)

    def _by_record(self, step: StepRecord) -> Undecided | None:
        """Return what follows for an integration: somebody is asked where whoever integrated is right too rarely."""
        if not is_own_work(step.handoff):
            return None
        maker, stated = self._maker(step), stated_by(step.handoff)
        estimate = self._run.log.known_agents.track_of(maker).estimate(stated, self.terms)
        found = decide(Situation(estimate, stated), self.terms)
        if found.band is not Band.ESCALATE:  # in between it is the audit that looks (O4)
            return None
        return Undecided(self._on_record(step, maker, found, estimate.value), beyond_lead=False, urgent=False)

    def _by_own_doubt(self, step: StepRecord) -> Undecided | None:
        """Return what follows where nothing is known of a result but what its agent states (X6)."""
        stated = stated_by(step.handoff)
        if stated is None or stated >= self.terms.escalate or not is_own_work(step.handoff):
            return None
        made = self._made(step) if step.kind is StepKind.TASK else None
        if made is not None and isinstance(made.agent, HoldsAgents):  # it was asked about by the run inside
            return None
        doubt = Decision(Band.ESCALATE, (f"the stated confidence is {stated:.2f}",))
        return Undecided(self._on_record(step, self._maker(step), doubt, stated), beyond_lead=False, urgent=False)

    def _on_record(self, step: StepRecord, maker: AgentVersion, found: Decision, estimate: float) -> ResultDecision:
        task_id = step.handoff.task_id
        return ResultDecision(
            task_id=task_id,
            version=step.handoff.version,
            agent=maker.agent,
            code=maker.code,
            band=found.band,
            reasons=found.reasons,
            stated=stated_by(step.handoff),
            estimate=estimate,
            judged=task_id in self._judged,
        )
