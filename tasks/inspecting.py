"""The inspection of one module: what is measured in it and what the surveys say about it, as one risk."""

from pathlib import Path

from contracts.modules import Module, ModuleFinding
from contracts.surveys import AnySurvey, DeadCodeSurvey, DuplicationSurvey, ImportSurvey, LintSurvey
from echelon import AgentFailed, Concern, Handoffs, Outcome, agent
from tasks.evidence import ModuleFacts, concerns_of, critical_of, evidence_of
from tasks.lookup import absent, survey_of
from tasks.measuring import measure
from tasks.scoring import by_weight, risk_of, score_parts
from tasks.sources import UnreadableError, read_source

#: Tests may use passwords and run commands; what vulture calls unused there, pytest calls by name.
_NOT_IN_TESTS = ("S",)


@agent(cpu_bound=True, timeout=120, attempts=2)
def inspect_module(module: Module, survey: Handoffs[AnySurvey], path: Path, max_bytes: int) -> Outcome[ModuleFinding]:
    """Find out how risky it is to change one module, and why."""
    facts = _facts(module, survey, path, max_bytes)
    parts = score_parts(facts.metrics, facts.hits, facts.dead, facts.clones, len(facts.cycle))
    finding = ModuleFinding(
        module=module,
        metrics=facts.metrics,
        parts=parts,
        risk=risk_of(parts),
        evidence=evidence_of(facts, by_weight(parts)),
        critical=critical_of(facts),
    )
    return Outcome(
        output=finding,
        summary=f"{module.path}: risk {finding.risk:.2f}, {facts.metrics.code_lines} lines of code",
        confidence=round(1 - 0.15 * len(absent(survey)), 2),  # judged on less evidence
        concerns=concerns_of(facts),
    )


def _facts(module: Module, survey: Handoffs[AnySurvey], root: Path, max_bytes: int) -> ModuleFacts:
    try:
        metrics = measure(read_source(root, module, max_bytes))
    except UnreadableError as reason:
        concern = Concern(
            about=module.path,
            message=f"it cannot be audited: {reason}",
            confidence=1.0,
            impact=0.4,
            evidence=(module.path,),
        )
        raise AgentFailed(f"{module.path} cannot be audited: {reason}", concerns=[concern]) from reason
    hits = survey_of(survey, LintSurvey).modules.get(module.path, ())
    dead = survey_of(survey, DeadCodeSurvey).modules.get(module.path, ())
    return ModuleFacts(
        module=module,
        metrics=metrics,
        hits=[hit for hit in hits if not (module.is_test and hit.rule.startswith(_NOT_IN_TESTS))],
        dead=() if module.is_test else dead,
        clones=survey_of(survey, DuplicationSurvey).modules.get(module.path, ()),
        cycle=_cycle(survey_of(survey, ImportSurvey), module.path),
    )


def _cycle(imports: ImportSurvey, path: str) -> tuple[str, ...]:
    links = imports.modules.get(path)
    return imports.cycles[links.cycle] if links is not None and links.cycle is not None else ()
