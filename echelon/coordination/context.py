"""One run at work: its frozen spec, and the ports behind which everything that changes lies."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from echelon.agents.handoffs import Handoffs, Previous, Received
from echelon.contract.reading import read_output
from echelon.coordination.accounts import Accounts
from echelon.coordination.conflicts.known import KnownClaims
from echelon.coordination.contracts import Contracts
from echelon.coordination.guarding import Guarding
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.run_log import RunLog
from echelon.coordination.spec import RunSpec
from echelon.coordination.step.causes import ReportedCauses
from echelon.coordination.step.intents import IntentLog
from echelon.coordination.step.memo import StepMemo
from echelon.coordination.success.vacuity import KnownChecks
from echelon.coordination.voice.once import OnRecord
from echelon.coordination.voice.raising import Raising
from echelon.coordination.workspaces import Workspaces
from echelon.journal.lease import Lease
from echelon.journal.outputs import OutputStore
from echelon.model.handoff import OutputReference
from echelon.model.oversight.gate import GateRecord
from echelon.oversight.gates.answers import AnswerWish
from echelon.oversight.relevance import Lineage

Surround = Callable[[str], AbstractContextManager[None]]
"""Sets around a call what its surroundings need, such as the context in which `get_run_logger()` of Prefect works."""


AskPerson = Callable[[GateRecord], Awaitable[AnswerWish | None]]
"""Asks a person at a gate; None when there is no answer now. Asked again after an answer that does not count."""


def unsurrounded(_task_id: str) -> AbstractContextManager[None]:
    """Set nothing."""
    return nullcontext()


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """What the steps of one run share."""

    spec: RunSpec
    """What is to be done."""
    log: RunLog
    """What happened (a run is a log)."""
    outputs: OutputStore
    """Where outputs lie."""
    guarding: Guarding
    """Guards of its calls (F1, F3, F4, F5)."""
    accounts: Accounts
    """Budgets of its domains and tasks (F4)."""
    intents: IntentLog
    """What it is about to change in the world (F8)."""
    memo: StepMemo
    """What earlier processes completed (F8)."""
    contracts: Contracts
    """Validators of its contracts."""
    workspaces: Workspaces
    """Folders of its agents."""
    lease: Lease
    """The right to work on the run, or on a part of it."""
    transcripts_off: str = ""
    """What has switched off that it is kept what models are asked and answered; empty: it is kept (V2)."""
    ask: AskPerson | None = None
    """Asks a person who is there, at each gate that is raised; None: answers come from elsewhere (O8)."""
    surround: Surround = unsurrounded
    """What stands around each call of an agent, by its task."""
    checks: KnownChecks = field(default_factory=KnownChecks)
    """What is known of its checks (D11)."""
    claims: KnownClaims = field(default_factory=KnownClaims)
    """What its outputs claim (X9)."""
    lineage: Lineage = field(default_factory=Lineage)
    """What its steps use, directly or not (O2)."""
    causes: ReportedCauses = field(default_factory=ReportedCauses)
    """Causes of failures that were reported (F6)."""
    once: OnRecord = field(default_factory=OnRecord)
    """Concerns and proposals that are on record, or about to be (O1)."""

    @cached_property
    def raising(self) -> Raising:
        """What makes the records of concerns."""
        return Raising(self.log, self.log.earlier_concerns)

    def now(self) -> datetime:
        """Return the time now, in UTC."""
        return self.spec.now()

    def receive(self, phase: str, output: PhaseOutput) -> Handoffs[object]:
        """Return what a consumer gets of the output of a phase."""
        delivered, unmerged = [
            [Received[object](h, self.outputs, self.contract_of(phase, h.task_id)) for h in handoffs]
            for handoffs in (output.handoffs, output.unmerged)
        ]
        return Handoffs(delivered, output.missing, unmerged)

    def contract_of(self, phase: str, task_id: str) -> object:
        """Return the type of the output of a task, or of an integration."""
        call = self.spec.expansion.calls.get(task_id)
        if call is not None:
            return call.agent.output_type
        integrator = self.spec.job.phases[phase].integrator
        assert integrator is not None, "what is no task was made by an integrator"
        return integrator.agent_of(phase, task_id).output_type

    async def read(self, reference: OutputReference, contract: object) -> object:
        """Read an output as what it is; `JournalError` or `ContractViolation` when it cannot be read.

        What lies in the journal itself, as most verdicts do, is read at once; validators of a user's contract are not
        run in the event loop.
        """
        if reference.content is not None and _is_plain(contract):
            return read_output(self.outputs, reference, contract)
        return await asyncio.to_thread(read_output, self.outputs, reference, contract)

    def previous_of(self, task_id: str) -> Previous[object]:
        """Return what the last completed run delivered for a task."""
        previous = self.spec.previous.get(task_id)
        if previous is None:
            return Previous()
        contract = self.spec.expansion.calls[task_id].agent.output_type
        received = Received[object](previous.handoff, self.outputs, contract)
        return Previous(received, age=previous.age(self.now()))


def _is_plain(contract: object) -> bool:
    """Say whether no code of a user runs when a value of a contract is read."""
    return isinstance(contract, type) and contract.__module__.partition(".")[0] in ("builtins", "echelon")
