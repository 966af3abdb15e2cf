"""A lead is asked about the results of its domain, batch by batch; what it does not approve goes to a person (X7).

Each batch is a step of its own, done once whatever crashes. A lead that approves an empty result too approves whatever
it is given: then none of its approvals counts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from echelon.agents.agent import Agent
from echelon.agents.checks.verdict import Verdict
from echelon.agents.fingerprint.agent import fingerprint_of
from echelon.contract.blank import NoBlank, blank
from echelon.contract.version import contract_name
from echelon.coordination.autonomy.results import Undecided
from echelon.coordination.context import RunContext
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.placement import StageOrder
from echelon.coordination.rolling.beside import steps_beside
from echelon.coordination.step.envelope import one_line, shortened
from echelon.coordination.step.layers import layers
from echelon.coordination.step.step import Step
from echelon.coordination.success.answered import read_verdict
from echelon.definition.oversight.peers import lead_of_phase
from echelon.definition.success.criteria import NOTHING_STATED
from echelon.journal.failpoints import failpoint
from echelon.model.autonomy.batch import ApprovalBatch, AskedApproval
from echelon.model.autonomy.decisions import ResultDecision
from echelon.model.integration import approval_id
from echelon.oversight.autonomy.batches import cut

#: What a lead is told to do: one that is a model reads it in its prompt.
WANTED = "every result of the batch may proceed, or is named in `items` by its task, with what speaks against it"

#: What is said where a lead declines without a word, and how much of a name that nobody knows.
WITHOUT_REASON, _NAMED = "it does not say why", 60


class _Answer(NamedTuple):
    """What a lead said of one result."""

    approved_by: str = ""
    """Who approved it; empty where nobody did."""
    declined: str = ""
    """Why it does not proceed; empty where it does."""


async def ask_lead(run: RunContext, order: StageOrder, undecided: Sequence[Undecided]) -> list[Undecided]:
    """Return results with what the lead of the job says of those that it has the authority for."""
    answers = await _answers(run, order, undecided)
    said = {task: answer._asdict() for task, answer in answers.items()}
    return [
        one._replace(decision=one.decision.model_copy(update=said.get(one.decision.task_id, {}))) for one in undecided
    ]


async def _answers(run: RunContext, order: StageOrder, undecided: Sequence[Undecided]) -> dict[str, _Answer]:
    autonomy = run.spec.job.oversight.autonomy
    phase = run.spec.job.phases[order.phase]
    lead = lead_of_phase(autonomy, phase, run.spec.job.inputs_type) if autonomy else None
    if autonomy is None or lead is None:
        return {}
    asking = _Asking(run, order, lead)
    answers: dict[str, _Answer] = {}
    number = 0
    for domain, decisions in _by_domain(run, _within(lead, undecided)).items():
        for batch in cut(decisions, autonomy.batch):
            number += 1
            answers |= await asking.ask(number, domain, batch)
    return answers


def _within(lead: Agent, undecided: Sequence[Undecided]) -> Iterator[ResultDecision]:
    """Yield the results that a lead may approve: inside its domain and budget, and none that it made itself."""
    code = fingerprint_of(lead)
    for one in undecided:
        decision = one.decision
        made_it = decision.agent == lead.name or (bool(code) and decision.code == code)
        if not (one.beyond_lead or made_it or decision.approved_by or decision.concern):
            yield decision


def _by_domain(run: RunContext, decisions: Iterator[ResultDecision]) -> dict[str, list[ResultDecision]]:
    plan, found = run.spec.plan, dict[str, list[ResultDecision]]()
    for one in decisions:
        domain = plan.domain_of(one.task_id, plan.agent_of.get(one.task_id, ""))
        found.setdefault(domain, []).append(one)
    return found


class _Asking:
    """Asks one lead about batches of one phase."""

    def __init__(self, run: RunContext, order: StageOrder, lead: Agent) -> None:
        self._run = run
        self._order = order
        self._lead = lead
        self._steps = steps_beside(run, order)
        self._perform = layers(run)
        there = (step.handoff for step in run.log.state.latest.values() if step.phase == order.phase)
        self._handoffs = {handoff.task_id: handoff for handoff in there if handoff.done}

    async def ask(self, number: int, domain: str, batch: Sequence[ResultDecision]) -> dict[str, _Answer]:
        """Return what the lead says of each result of a batch."""
        identity = approval_id(self._order.phase, self._lead.name, number)
        results = {self._order.phase: PhaseOutput(handoffs=tuple(self._handoffs[one.task_id] for one in batch))}
        step = self._steps.check_of_phases(self._lead, identity, results)
        verdict = await self._verdict(_about(step, self._order.phase, domain, batch))
        failpoint("approval.ended")
        answers = _answers_in(verdict, [one.task_id for one in batch], self._lead.name)
        if not any(one.approved_by for one in answers.values()):
            return answers
        vacuous = await self._why_vacuous(domain, batch)
        return dict.fromkeys(answers, _Answer(declined=vacuous)) if vacuous else answers

    async def _verdict(self, step: Step) -> Verdict:
        handoff = await self._perform(step)
        if not handoff.done:
            return Verdict.unverifiable(handoff.error.message if handoff.error else "it did not answer")
        return await read_verdict(self._run, self._lead, handoff)

    async def _why_vacuous(self, domain: str, batch: Sequence[ResultDecision]) -> str:
        """Say why the approvals of the lead say nothing: it is asked about an empty result, once for each contract."""
        author = self._run.spec.expansion.calls.get(batch[0].task_id)
        if author is None:  # what integrates is asked about for its own doubt
            return ""
        contract = author.agent.output_type

        async def find() -> str:
            try:
                empty = blank(contract)
            except NoBlank:
                return ""
            step = await self._steps.check_of_nothing(author.agent, self._lead, empty, NOTHING_STATED)
            verdict = await self._verdict(_about(step, self._order.phase, domain, batch[:1]))
            said = f"{self._lead.name} approves an empty result too, so its approval says nothing"
            return said if verdict.passed else ""

        key = (self._order.phase, "lead", self._lead.name, contract_name(contract))
        return await self._run.checks.why_vacuous(key, find)


def _about(step: Step, phase: str, domain: str, batch: Sequence[ResultDecision]) -> Step:
    """Return the step of a lead with what it is asked: each result, and why it does not proceed."""
    asked = tuple(
        AskedApproval(task_id=one.task_id, agent=one.agent, reasons=one.reasons, stated=one.stated) for one in batch
    )
    item, brief = ApprovalBatch(phase=phase, domain=domain, asked=asked), step.call.brief
    told = brief.model_copy(update={"assignment": brief.assignment.model_copy(update={"success": (WANTED,)})})
    return replace(step, call=replace(step.call, item=item, brief=told))


def _answers_in(verdict: Verdict, tasks: Sequence[str], lead: str) -> dict[str, _Answer]:
    """Return what a verdict on a batch says of each result.

    What names no result holds for all of them. Where one is named that is not in the batch nobody knows which was
    meant, and none is approved.
    """
    meant = {task: task for task in tasks} | {task.partition("/")[2]: task for task in tasks}
    strange = one_line(next((name for name in verdict.items if name not in meant), ""))
    own = {meant[name]: gap for name, gap in verdict.items.items() if name in meant}
    approves = verdict.passed or (verdict.result == "rejected" and bool(own))
    said = f"it names {shortened(strange, _NAMED)!r}, which is no result of the batch" if strange else verdict.gap
    return {
        task: _Answer(approved_by=f"lead {lead}")
        if approves and task not in own and not strange
        else _Answer(declined=f"{lead} does not approve it: {one_line(own.get(task, '') or said) or WITHOUT_REASON}")
        for task in tasks
    }
