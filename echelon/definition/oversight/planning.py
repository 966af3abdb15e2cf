"""What the oversight of a job adds to its plan: whose results are verified, by whom, and what nobody does (O3, R11)."""

from collections.abc import Iterator, Mapping

from echelon.definition.oversight.oversight import Oversight
from echelon.definition.phase import PhaseDefinition
from echelon.model.phrasing import count, listed
from echelon.model.plan import Finding, FindingLevel, Plan
from echelon.planning.infrastructure import ON_REQUEST_FROM, infrastructure_for, is_judged
from echelon.planning.schedule.critical import results_to_verify

#: Tasks that a finding names at most.
_NAMED = 3


def with_oversight(plan: Plan, oversight: Oversight, phases: Mapping[str, PhaseDefinition]) -> Plan:
    """Return a plan with whose results must be verified, and with those who judge in it."""
    verifies = is_judged(plan.n_agents, stated=oversight.verify is not None)
    audits = is_judged(plan.n_agents, stated=oversight.audit is not None)
    judges = [one.judges for one in phases.values()]
    verifiers = dict.fromkeys(one.name for each in judges for one in each.critical.verifiers if verifies)
    auditors = dict.fromkeys(each.auditor.name for each in judges if each.auditor and audits)
    changed = plan.model_copy(
        update={
            "to_verify": results_to_verify(plan.tasks, plan.open) if verifies else {},
            "infrastructure": infrastructure_for(plan.tree, tuple(verifiers), tuple(auditors)),
            "alerts_an_hour": oversight.alerts_an_hour,
        }
    )
    findings = tuple(_findings(changed, oversight, phases))
    return changed.model_copy(update={"findings": (*plan.findings, *findings)}) if findings else changed


def verified_by_nobody(plan: Plan, phases: Mapping[str, PhaseDefinition]) -> tuple[str, ...]:
    """Return the tasks whose results should be verified, and of which nothing is checked at all."""
    return tuple(
        task.id
        for task in plan.tasks
        if task.id in plan.to_verify
        and not phases[task.phase or ""].judges.critical.are_stated
        and not any(own.are_stated for own in phases[task.phase or ""].success.parts)
    )


def _findings(plan: Plan, oversight: Oversight, phases: Mapping[str, PhaseDefinition]) -> Iterator[Finding]:
    if oversight.verify is None and plan.to_verify:
        alone = verified_by_nobody(plan, phases)
        if alone:
            yield Finding(
                rule="O3",
                level=FindingLevel.INFO,
                where=alone[0],
                message=f"{count(len(alone), 'result')} on the critical path or in front of a gate "
                f"{'is' if len(alone) == 1 else 'are'} verified by nobody ({listed(list(alone), _NAMED)}); they will "
                "be counted as unverified",
                fix="state who verifies them: Job(..., oversight=Oversight(verify=AGENT)), or verify= of a phase",
            )
    stated = [name for name in ("verify", "audit") if getattr(oversight, name) is not None]
    if stated and 0 < plan.n_agents < ON_REQUEST_FROM:
        yield Finding(
            rule="R11",
            level=FindingLevel.WARNING,
            where=plan.job,
            message=f"oversight of the whole begins at {ON_REQUEST_FROM} agents, and the job has "
            f"{plan.n_agents}: {listed(stated, 2)} of it {'does' if len(stated) == 1 else 'do'} nothing",
            fix="state verify= of the phase whose results somebody else must verify",
        )
