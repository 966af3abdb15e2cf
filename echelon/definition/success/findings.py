"""What is to be said of success before anything runs: what nobody checks, and what holds for nothing (D11)."""

from collections.abc import Iterator, Mapping

from echelon.definition.phase import PhaseDefinition
from echelon.definition.success.success import Success, is_part_of
from echelon.model.graph import TaskGraph
from echelon.model.phrasing import listed
from echelon.model.plan import Finding, FindingLevel

#: Results, domains or agents that a finding names at most.
_NAMED = 5


def success_findings(phases: Mapping[str, PhaseDefinition], graph: TaskGraph) -> tuple[Finding, ...]:
    """Return what should be changed about what phases take for success; `graph` has the tasks that are known."""
    return tuple(
        finding
        for phase in phases.values()
        for found in (words_findings(phase.name, phase.success), _without_tasks(phase, graph))
        for finding in found
    )


def words_findings(phase: str, success: Success) -> Iterator[Finding]:
    """Yield that success is stated in words only: nobody checks those."""
    whose = tuple(success.in_words_only())
    if whose:
        of = f" of {listed(whose, _NAMED)}" if all(whose) else ""
        yield Finding(
            rule="D11",
            level=FindingLevel.INFO,
            where=phase,
            message=f"the success{of} is stated in words only, and nobody checks words: the results will be "
            "unverifiable, and the run partial",
            fix="state a function, a command or Evidence(...) beside them, or let an agent verify results (verify=)",
        )


def _without_tasks(phase: PhaseDefinition, graph: TaskGraph) -> Iterator[Finding]:
    """Yield domains that no task is in: one that is mistyped looks just like success."""
    known = {task.domain for task in graph.tasks if task.phase == phase.name}
    alone = [name for name in phase.success.domains if not any(is_part_of(one, name) for one in known)]
    if known and alone:
        yield Finding(
            rule="D11",
            level=FindingLevel.WARNING,
            where=phase.name,
            message=f"success is stated for {listed(alone, _NAMED, repr)}, and no task is in such a domain (there are: "
            f"{listed(sorted(filter(None, known)), _NAMED) or 'none'})",
            fix="correct the name, or take it away",
        )
