"""The inspection of one module: what is measured in it and what the surveys say about it, as one risk."""

from pathlib import Path

from contracts.inspections import Inspection
from contracts.modules import ModuleFinding
from echelon import AgentFailed, Concern, Outcome, agent
from tasks.evidence import ModuleFacts, concerns_of, critical_of, evidence_of
from tasks.findings import findings_of
from tasks.measuring import measure
from tasks.scoring import by_weight, risk_of, score_parts
from tasks.sources import UnreadableError, decode, read_as_listed

#: Tests may use passwords and run commands; what vulture calls unused there, pytest calls by name.
_NOT_IN_TESTS = ("S",)


@agent(cpu_bound=True, timeout=120, attempts=2)
def inspect_module(inspection: Inspection, path: Path, max_bytes: int) -> Outcome[ModuleFinding]:
    """Find out how risky it is to change one module, and why."""
    source = _source(inspection, path, max_bytes)
    facts = _facts(inspection, source)
    parts = score_parts(facts.metrics, facts.hits, facts.dead, facts.clones, len(facts.cycle))
    finding = ModuleFinding(
        module=inspection.module,
        metrics=facts.metrics,
        parts=parts,
        risk=risk_of(parts),
        evidence=evidence_of(facts, by_weight(parts)),
        critical=critical_of(facts),
        findings=findings_of(facts, source),
    )
    return Outcome(
        output=finding,
        summary=f"{inspection.module.path}: risk {finding.risk:.2f}, {facts.metrics.code_lines} lines of code",
        confidence=round(1 - 0.15 * len(inspection.absent), 2),  # judged on less evidence
        concerns=concerns_of(facts),
    )


def _source(inspection: Inspection, root: Path, max_bytes: int) -> str:
    try:
        return decode(read_as_listed(root, inspection.module, max_bytes, inspection.sha256))
    except UnreadableError as reason:
        raise _unreadable(inspection, reason) from reason


def _facts(inspection: Inspection, source: str) -> ModuleFacts:
    module = inspection.module
    try:
        metrics = measure(source)
    except UnreadableError as reason:
        raise _unreadable(inspection, reason) from reason
    return ModuleFacts(
        module=module,
        metrics=metrics,
        hits=[hit for hit in inspection.hits if not (module.is_test and hit.rule.startswith(_NOT_IN_TESTS))],
        dead=() if module.is_test else inspection.dead,
        clones=inspection.clones,
        cycle=inspection.cycle,
    )


def _unreadable(inspection: Inspection, reason: UnreadableError) -> AgentFailed:
    path = inspection.module.path
    concern = Concern(
        about=path,
        message=f"it cannot be audited: {reason}",
        confidence=1.0,
        impact=0.4,
        evidence=(path,),
    )
    return AgentFailed(f"{path} cannot be audited: {reason}", concerns=[concern])
