"""What has changed in the contracts of a job since its last completed run, as far as the journal knows (C8)."""

import logging
from collections.abc import Iterable

from echelon.agents.agent import Agent
from echelon.agents.fingerprint.agent import fingerprint_of, has_changed
from echelon.contract.notice import Consumer, contract_notices
from echelon.definition.definition import JobDefinition
from echelon.definition.phase import PhaseDefinition
from echelon.definition.planned import Planned
from echelon.journal.journal import SqlJournal
from echelon.journal.port import Journal
from echelon.model.errors import InvalidJob, JournalError
from echelon.model.plan import Finding, FindingLevel, Plan
from echelon.model.run import StepKind, StepRecord
from echelon.redaction import redact
from echelon.settings import Settings

log = logging.getLogger("echelon.engine")


async def check_contracts(journal: Journal, ready: Planned, run_id: str | None) -> None:
    """Refuse a job whose tight consumers have not changed with what they read; warn of the others (C8).

    `run_id` is the run where it is on record already. Raises `InvalidJob`.
    """
    found = await notices(journal, ready.job, ready.plan, run_id)
    refused = [one for one in found if one.level is FindingLevel.ERROR]
    if refused:
        said = " ".join(f"{one.message}." for one in refused)
        raise InvalidJob(f"job {ready.job.name!r} is not run (C8): {said} What to do: {refused[0].fix}")
    for one in found:
        log.warning("%s: %s; %s", one.rule, one.message, one.fix)


async def notices(journal: Journal, job: JobDefinition, plan: Plan, run_id: str | None = None) -> tuple[Finding, ...]:
    """Return what people are to be told about contracts that have changed since the last completed run of a job.

    It is the last one before run `run_id`, where that is on record; else the newest.
    """
    if not plan.terms:
        return ()
    known = await journal.known_run(run_id=run_id) if run_id is not None else None
    last = await journal.last_completed(job.name, None, known.run_id if known else None)
    if last is None or last.plan is None or not contract_notices(last.plan, plan, {}, last.run_id):
        return ()  # whose code has changed can only spare a notice: the steps are read where there may be one
    before = _code_of(await journal.steps(last.run_id))
    changed = {
        Consumer(phase.name, one.name): has_changed(before.get(_task_of(phase, one), ""), fingerprint_of(one))
        for phase in job.phases.values()
        for one in phase.agents
    }
    return contract_notices(last.plan, plan, changed, last.run_id)


async def known_notices(job: JobDefinition, plan: Plan, settings: Settings) -> tuple[Finding, ...]:
    """Return the same where there is a journal; none is made for it, and none is needed."""
    try:
        if not await SqlJournal.is_ready(settings):
            return ()
        async with SqlJournal.open(settings) as journal:
            return await notices(journal, job, plan)
    except JournalError as error:
        log.warning("whether contracts have changed cannot be told (C8): %s", redact(str(error)))
        return ()


def _code_of(steps: Iterable[StepRecord]) -> dict[str, str]:
    """Return the code that did the tasks of a run, by task, and by phase; what stood in for an agent is not its own."""
    done = [one for one in steps if one.kind is StepKind.TASK and one.handoff.fallback is None and one.code]
    return {one.phase: one.code for one in done} | {one.handoff.task_id: one.code for one in done}


def _task_of(phase: PhaseDefinition, agent: Agent) -> str:
    """Return what an agent of a phase is known by on record: its task, or the phase where it works on every item."""
    return phase.name if phase.discovery is not None else f"{phase.name}/{agent.name}"
