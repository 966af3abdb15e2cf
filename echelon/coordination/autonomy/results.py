"""The results of one phase when its sync point is passed: what is decided about each, and whose records that shows."""

from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from echelon.agents.agent import HoldsAgents
from echelon.coordination.autonomy.situations import Made, Situations
from echelon.coordination.autonomy.trials import Trial, is_own_work, judged_tasks, stated_by, trials_of
from echelon.coordination.context import RunContext
from echelon.journal.digest import digest_of
from echelon.model.autonomy.decisions import AgentStanding, ResultDecision
from echelon.model.autonomy.terms import DEFAULT_TERMS, Band
from echelon.model.autonomy.track import Track
from echelon.model.run import StepKind, StepRecord
from echelon.oversight.autonomy.deciding import Decision, decide
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
        found = (step for step in run.log.state.latest.values() if step.phase == phase and step.kind in _RESULTS)
        self.steps = [step for step in found if step.handoff.done and not step.interim]

    @cached_property
    def identity(self) -> str:
        """Identity of all of them, and of what was judged."""
        judged = Counter(one.record.handoff.task_id for one in self._trials)
        return digest_of([sorted((step.handoff.task_id, step.handoff.version) for step in self.steps), judged])

    def undecided(self) -> Iterator[Undecided]:
        """Yield those that do not simply proceed; what was decided about the same result stands."""
        before = self._run.log.state.autonomy.get(self._phase)
        known = {one.task_id: one for one in before.decisions} if before else {}
        for step in self.steps:
            earlier = known.get(step.handoff.task_id)
            if earlier is not None and earlier.version == step.handoff.version:
                yield Undecided(earlier, beyond_lead=True, urgent=False)
                continue
            found = self._decide(step)
            if found is not None:
                yield found if earlier is None else self._still_asked(found, earlier)

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
        for made in (self._made(step) for step in self.steps if self._autonomy and _is_own_task(step)):
            own.setdefault(made.version, Track())
            kinds.setdefault(made.version, set()).add(self._situations.kind_of(made))
        for trial in self._trials:
            version = self._made(trial.record).version
            own[version] = own.get(version, Track()) + trial.track
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
        in_plan = self._run.spec.expansion.calls
        found = trials_of(self._run.log.state, self._phase)
        return tuple(one for one in found if one.record.handoff.task_id in in_plan)

    @cached_property
    def _judged(self) -> frozenset[str]:
        return judged_tasks(self._trials)

    def _made(self, step: StepRecord) -> Made:
        return self._situations.maker(step.handoff, step.code)

    def _decide(self, step: StepRecord) -> Undecided | None:
        if self._autonomy is None or step.kind is not StepKind.TASK:
            return self._by_own_doubt(step)
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

    def _by_own_doubt(self, step: StepRecord) -> Undecided | None:
        """Return what follows where nothing is known of a result but what its agent states (X6)."""
        stated = stated_by(step.handoff)
        if stated is None or stated >= self.terms.escalate or not is_own_work(step.handoff):
            return None
        made = self._made(step) if step.kind is StepKind.TASK else None
        if made is not None and isinstance(made.agent, HoldsAgents):  # it was asked about by the run inside
            return None
        maker = made.version if made is not None else AgentVersion(step.node, step.code)
        doubt = Decision(Band.ESCALATE, (f"its agent is {stated:.2f} sure of it",))
        return Undecided(self._on_record(step, maker, doubt, stated), beyond_lead=False, urgent=False)

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


def _is_own_task(step: StepRecord) -> bool:
    return step.kind is StepKind.TASK and is_own_work(step.handoff)
