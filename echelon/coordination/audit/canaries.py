"""The step of a sync point in which verifiers are tried who accepted everything: with results made wrong (O3).

Each is tried once in a run, and no more where it notices. Of one that accepts whatever it is given no verdict counts,
neither those before nor those after.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from typing import NamedTuple

from pydantic_core import to_jsonable_python

from echelon.agents.agent import Agent
from echelon.agents.command import CommandAgent
from echelon.agents.function import FunctionAgent
from echelon.contract.altering import altered
from echelon.coordination.audit.auditing import CERTAIN, GRAVE
from echelon.coordination.context import RunContext
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.placement import PastRound, StageOrder
from echelon.coordination.readiness import waits_in
from echelon.coordination.rolling.beside import steps_beside
from echelon.coordination.step.layers import layers
from echelon.coordination.success.answered import read_verdict
from echelon.coordination.voice.statements import said_id
from echelon.journal.digest import digest_of
from echelon.journal.failpoints import failpoint
from echelon.model.audit.audit import AUDIT_SOURCE
from echelon.model.audit.probe import VerifierProbe
from echelon.model.concern import Concern
from echelon.model.errors import ContractViolation, JournalError
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.handoff import Handoff
from echelon.model.integration import verification_id
from echelon.model.run import StepKind, StepRecord
from echelon.oversight.audit.probing import drawn, stamping
from echelon.planning.infrastructure import is_judged
from echelon.runlog.events import RunEvent
from echelon.runlog.judging.audit_events import VerifierProbed
from echelon.runlog.losses import missing_of


class _Canary(NamedTuple):
    """A result that was made wrong."""

    how: str
    handoff: Handoff


async def probe_verifiers(run: RunContext, order: StageOrder, output: PhaseOutput) -> PhaseOutput:
    """Try the verifiers of a phase that accepted everything; what rests on one that is exposed is not verified.

    Those of the job are tried as those that the phase states itself.
    """
    phase = run.spec.job.phases[order.phase]
    verifiers = {one.name: one for one in (*phase.success.verifiers, *phase.judges.critical.verifiers)}
    if not verifiers or not is_judged(run.spec.plan.n_agents, stated=True) or waits_in(output.missing):
        return output
    asked = [name for name, one in verifiers.items() if _judges_output_alone(one)]
    found = stamping(_tasks(run, order), asked, run.log.state.probes)
    for name, steps in found.items():
        await _probe(run, order, verifiers[name], steps)
    return _marked(run, order, output) if any(one.is_exposed for one in run.log.state.probes.values()) else output


def _judges_output_alone(check: Agent) -> bool:
    """Say whether a check judges by the output: what else it looks at is not made wrong."""
    if isinstance(check, FunctionAgent):
        binding = check.binding
        return binding is not None and binding.takes_output and not binding.takes_trace
    return not isinstance(check, CommandAgent)


def _tasks(run: RunContext, order: StageOrder) -> list[StepRecord]:
    latest = run.log.state.latest.items()
    return [step for name, step in latest if name.kind is StepKind.TASK and name.phase == order.phase]


async def _probe(run: RunContext, order: StageOrder, verifier: Agent, steps: Sequence[StepRecord]) -> None:
    """Ask a verifier about results that are wrong, until it notices one; on record when this returns."""
    chosen, *others = drawn(steps, f"{run.spec.run_id} {verifier.name}")
    accepted, noticed = list[str](), ""
    async for canary in _canaries(run, chosen, others):
        if not await _accepts(run, order, verifier, canary):
            noticed = canary.how
            break
        accepted.append(canary.how)
    probe = VerifierProbe(
        verifier=verifier.name,
        phase=order.phase,
        task_id=chosen.handoff.task_id,
        accepted=tuple(accepted),
        noticed=noticed,
        verdicts=len(steps),
    )
    failpoint("canary.ended")
    await run.log.append(*_events(run, probe))
    failpoint("canary.recorded")


async def _canaries(run: RunContext, step: StepRecord, others: Sequence[StepRecord]) -> AsyncGenerator[_Canary]:
    """Yield a result made wrong in several ways: garbled, emptied, and that of another item."""
    handoff, contract = step.handoff, run.contract_of(step.phase, step.handoff.task_id)
    assert handoff.output_location is not None, "what was accepted was delivered"
    try:
        output = await run.read(handoff.output_location, contract)
    except (JournalError, ContractViolation):
        return
    plain, adapter = to_jsonable_python(output, fallback=str), run.contracts.adapter(contract)
    for how in ("noise", "hollow"):
        wrong = altered(plain, adapter, how)
        if wrong is not None:
            name, key = handoff.output_location.contract, digest_of(("canary", step.key, how))
            reference = await asyncio.to_thread(run.outputs.put, run.spec.run_id, key, wrong, name)
            yield _Canary(how, handoff.model_copy(update={"output_location": reference, "verification": None}))
    for other in others:
        swapped = other.handoff.output_location
        if swapped is not None and swapped.sha256 != handoff.output_location.sha256:
            yield _Canary("another's", handoff.model_copy(update={"output_location": swapped, "verification": None}))
            return


async def _accepts(run: RunContext, order: StageOrder, verifier: Agent, canary: _Canary) -> bool:
    """Say whether a verifier accepts a result that is wrong: asked in a step of its own, as about any other."""
    task, rounds = canary.handoff.task_id, [PastRound(handoff=canary.handoff)]
    criteria = run.spec.criteria_of(run.spec.tasks[task], run.spec.expansion.calls[task].agent.name)
    asked = next((one for one in criteria.verifiers if one.name == verifier.name), verifier)
    step = steps_beside(run, order).check_of_task(task, asked, rounds, criteria)
    name = verification_id(order.phase, f"{verifier.name}-of-{canary.how.replace(chr(39), '')}")
    checked = await layers(run)(replace(step, task_id=name, key=digest_of((step.key, "canary", canary.how))))
    return checked.done and (await read_verdict(run, verifier, checked)).passed


def _events(run: RunContext, probe: VerifierProbe) -> tuple[RunEvent, ...]:
    at, run_id = run.now(), run.spec.run_id
    probed = VerifierProbed(run_id=run_id, at=at, probe=probe)
    if not probe.is_exposed:
        return (probed,)
    message = f"{probe.said}; none of its {probe.verdicts} verdicts in phase {probe.phase!r} counts"
    concern = Concern(about=probe.phase, message=message, confidence=CERTAIN, impact=GRAVE, evidence=probe.accepted)
    raised = run.raising.event(said_id(run_id, probe.verifier, concern), AUDIT_SOURCE, concern, at, phase=probe.phase)
    path = (run.spec.plan.primary.id,)
    report = ExceptionReport(trigger=Trigger.PARTIAL, level=Level.WARNING, path=path, message=message, at=at)
    return probed, raised, run.log.pushed(report)


def _marked(run: RunContext, order: StageOrder, output: PhaseOutput) -> PhaseOutput:
    """Return what a phase hands on with what is known of its results now."""
    known = {step.handoff.task_id: step.handoff for step in _tasks(run, order)}
    said = {one.task_id for one in output.lacks}
    doubted = [one for one in known.values() if one.unverified and one.task_id not in said]
    handoffs = tuple(_as_known(one, known) for one in output.handoffs)
    replaced = (*output.replaced, *map(missing_of, doubted))
    return output.model_copy(update={"handoffs": handoffs, "replaced": replaced})


def _as_known(handoff: Handoff, known: dict[str, Handoff]) -> Handoff:
    now = known.get(handoff.task_id)
    return handoff if now is None else handoff.model_copy(update={"verification": now.verification})
