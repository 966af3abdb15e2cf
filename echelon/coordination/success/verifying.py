"""Somebody else verifies a result: a step of its own behind that of the work, each done once whatever crashes (O3).

What is rejected is done again with what is missing, within the attempts of the work. Where whoever verifies fails, or
cannot tell, the work stays done, and it is said that nobody knows whether it is good.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

from echelon.agents.agent import Agent, cannot_be_undone
from echelon.agents.call import Call
from echelon.agents.checks.verdict import Verdict
from echelon.contract.version import contract_name
from echelon.coordination.conflicts.damping import settle_versions, versions_of
from echelon.coordination.context import RunContext
from echelon.coordination.placement import PastRound, StageOrder
from echelon.coordination.rolling.steps import StepMaker
from echelon.coordination.step.envelope import error_report
from echelon.coordination.step.recall import reuse
from echelon.coordination.step.record import record_of, record_step, record_with_news
from echelon.coordination.step.step import Perform, Step
from echelon.coordination.success.answered import read_report
from echelon.coordination.success.probes import find_vacuity
from echelon.coordination.success.rejecting import unchecked, without_output
from echelon.definition.facts import model_name
from echelon.definition.success.criteria import Criteria
from echelon.journal.digest import digest_of
from echelon.journal.failpoints import failpoint
from echelon.model.errors import NotAccepted
from echelon.model.handoff import Handoff
from echelon.model.status import Status
from echelon.model.verification.verification import CheckReport, joined
from echelon.oversight.conflicts.damping import DEFAULT_REACTIONS, reactions_in
from echelon.runlog.standing import StepName

Prepare = Callable[[Sequence[PastRound]], Awaitable[Step]]
"""Makes the step of the work, given the rounds that were rejected."""


ChoosePeer = Callable[[Handoff], Agent | None]
"""Says who looks at a result that nobody is stated to verify; None: nobody has to (X6)."""


async def verify_task(
    run: RunContext,
    order: StageOrder,
    steps: StepMaker,
    perform: Perform[Handoff],
    prepare: Prepare,
    choose_peer: ChoosePeer,
) -> tuple[Step, Handoff]:
    """Do a task until somebody else accepts it; returns the last round, and the handoff that is on record of it.

    Where it goes back and forth between versions, its owner decides which of them counts (X5).
    """
    rounds, basis = list[PastRound](), ""
    while True:
        step = await prepare(rounds)
        is_stated = bool(step.criteria.verifiers)
        handoff = await perform(step.as_interim() if is_stated else step)
        failpoint("verification.begun")
        peer = None if is_stated else choose_peer(handoff)
        if not handoff.done or not (is_stated or peer):
            return step, handoff
        step = step if peer is None else replace(step, criteria=step.criteria + Criteria(verifiers=(peer,)))
        rounds.append(PastRound(handoff=handoff))
        if handoff.kept_from:  # with what was said of it there: who verifies is a part of what it is made from
            return step, await _end(run, step, handoff, rounds)
        basis = basis or _basis_of(run, step)
        verified = await ask_verifiers(run, steps, step, rounds, perform)
        if not verified.done:
            return step, await _record_end(run, step, verified, rounds)
        verdict = verdict_on(verified)
        rounds[-1] = PastRound(handoff=verified, gap=verdict.gap)
        attempts = 1 if cannot_be_undone(step.agent) else step.guard.policy.attempts or 1
        if verdict.result != "rejected" or len(rounds) >= attempts:
            return step, await _end(run, replace(step, basis=basis), verified, rounds)
        if reactions_in(versions_of(rounds)) >= DEFAULT_REACTIONS:
            return step, await _end_alternating(run, order, step, verified, rounds)
        if peer is not None:  # it was on record as done
            await _end(run, step, verified, rounds)


async def _end_alternating(
    run: RunContext, order: StageOrder, step: Step, verified: Handoff, rounds: Sequence[PastRound]
) -> Handoff:
    """Put it on record which version counts of work that goes back and forth; where nobody decides, it has failed."""
    decided = await settle_versions(run, order, rounds)
    if decided is None:
        return await _end(run, step, verified, rounds)
    # It is said that nobody accepted it; what was said of this version does not count any more.
    return await _record_end(run, step, decided.model_copy(update={"verification": None}), rounds)


def _basis_of(run: RunContext, step: Step) -> str:
    """Return what the first round of a step was made from, so that a later run can keep what was verified."""
    latest = run.log.state.latest.get(StepName(step.kind, step.phase, step.task_id))
    return latest.basis if latest is not None else ""


def verifying(run: RunContext, steps: StepMaker, perform: Perform[Handoff]) -> Perform[Handoff]:
    """Return what does a step in the place of another one: once, and whoever verifies the work verifies it too (F2)."""

    async def do(step: Step) -> Handoff:
        if not step.criteria.verifiers:
            return await perform(step)
        handoff = await perform(step.as_interim())
        failpoint("verification.begun")
        if not handoff.done:
            return handoff
        rounds = [PastRound(handoff=handoff)]
        verified = await ask_verifiers(run, steps, step, rounds, perform)
        end = _end if verified.done else _record_end
        return await end(run, step, verified, rounds)

    return do


async def ask_verifiers(
    run: RunContext, steps: StepMaker, step: Step, rounds: Sequence[PastRound], perform: Perform[Handoff]
) -> Handoff:
    """Return the handoff of the last round with what verifiers say; none is asked behind the first that rejects."""
    handoff, criteria = rounds[-1].handoff, step.criteria
    if not criteria.verifiers:
        return handoff
    author = author_of(run, step, handoff)
    reports: list[CheckReport] = []
    for verifier in criteria.verifiers:
        checked = await perform(steps.check_of_task(step.task_id, verifier, rounds, criteria))
        failpoint("verification.ended")
        if checked.waits:  # it can be told when a quota has reset: nobody gets it before (F10)
            return unchecked(handoff, checked)
        reports.append(await _report(run, verifier, checked, is_independent(verifier, author)))
        if reports[-1].result == "rejected":
            break
    critical = step.task_id in run.spec.plan.to_verify
    verification = joined(handoff.verification, reports, by_another=critical)
    if verification.result == "accepted":
        vacuous = await _why_vacuous(run, steps, step, rounds, perform)
        verification = joined(handoff.verification, reports, vacuous=vacuous, by_another=critical)
    return handoff.model_copy(update={"verification": verification})


async def _why_vacuous(
    run: RunContext, steps: StepMaker, step: Step, rounds: Sequence[PastRound], perform: Perform[Handoff]
) -> str:
    """Say why whoever verifies the results of a phase, and all other checks of it, verify nothing (D11)."""
    author, criteria = step.agent, step.criteria

    async def ask_agent(verifier: Agent, empty: object) -> CheckReport:
        checked = await perform(await steps.check_of_nothing(author, verifier, empty, criteria))
        failpoint("probe.ended")
        return await _report(run, verifier, checked, is_independent(verifier, author))

    def call_of_result() -> Call:
        return steps.check_of_task(step.task_id, criteria.verifiers[0], rounds, criteria).call

    find = partial(find_vacuity, criteria, author.output_type, call_of_result, ask_agent)
    return await run.checks.why_vacuous((step.phase, contract_name(author.output_type), *criteria.names), find)


def author_of(run: RunContext, step: Step, handoff: Handoff) -> Agent:
    """Return who made a result: of several that did the same, the one whose output counts (F9)."""
    known = handoff.replicas
    others = run.spec.job.phases[step.phase].redundancy.agents
    return next((one for one in others if known is not None and one.name == known.agent), step.agent)


def is_independent(verifier: Agent, author: Agent) -> bool:
    """Say whether a judgement is another's: the same model has the same blind spots (O3)."""
    model = model_name(verifier)
    return model is None or model != model_name(author)


def is_rejected(handoff: Handoff) -> bool:
    """Say whether a check rejects a result."""
    return handoff.verification is not None and handoff.verification.result == "rejected"


def verdict_on(handoff: Handoff) -> Verdict:
    """Return what all checks of a result say, for those who do it again."""
    known = handoff.verification
    if known is None or known.result == "accepted":
        return Verdict.accepted()
    return Verdict.rejected(known.reason) if known.result == "rejected" else Verdict.unverifiable(known.reason)


async def _report(run: RunContext, verifier: Agent, checked: Handoff, independent: bool) -> CheckReport:
    report = await read_report(run, verifier, checked)
    return report.model_copy(update={"independent": independent})


async def _end(run: RunContext, step: Step, handoff: Handoff, rounds: Sequence[PastRound]) -> Handoff:
    """Put on record what is known of a result now; nothing of it is counted twice."""
    verification = handoff.verification
    assert verification is not None, "what somebody verified has a verification"
    if verification.result == "rejected":
        last = verification.checks[-1]
        error = NotAccepted(step.agent.name, last.name, last.gap, again=not cannot_be_undone(step.agent))
        handoff = without_output(handoff, Status.FAILED, error_report(error))
    return await _record_end(run, step, handoff, rounds)


async def _record_end(run: RunContext, step: Step, handoff: Handoff, rounds: Sequence[PastRound]) -> Handoff:
    attempts = sum(one.handoff.attempts for one in rounds)
    handoff = handoff.counting_nothing().model_copy(update={"attempts": attempts, "rounds": len(rounds)})
    known_now = handoff.verification and handoff.verification.model_dump(mode="json")
    key = digest_of((step.key, "verified", len(rounds), known_now))
    known = run.memo.find(key)
    if known is not None:
        return reuse(run, step.phase, known)
    record = record_of(run, step, handoff, key=key)
    # That it took several rounds is no news by itself; that it was rejected to the end is (V1).
    await (record_step(run, record) if handoff.error is None else record_with_news(run, step, record))
    failpoint("verification.recorded")
    return handoff
