"""`echelon lint`: what is wrong with a plan, before anything is spent. Nothing is run."""

from rich.console import Console

from echelon.cli.arguments.notices import known_notices
from echelon.cli.arguments.options import Agents, AsJson, Params, Priority, SourceName, Span, inputs_of, typed_agents
from echelon.cli.arguments.source import load_job
from echelon.cli.views.output import out, print_json, table
from echelon.cli.views.plan import FINDING_STYLES, WHERE_CHARACTERS
from echelon.lint.rules import LEVELS, by_level, counted
from echelon.lint.rules import lint as findings_of
from echelon.model.phrasing import count, truncate
from echelon.model.plan import Finding, FindingLevel

#: What a level is called when there are several of it.
NOUNS = {FindingLevel.ERROR: "error", FindingLevel.WARNING: "warning", FindingLevel.INFO: "note"}


def lint(
    source: SourceName,
    /,
    *,
    param: Params = None,
    span: Span = None,
    priority: Priority = None,
    agent: Agents = None,
    as_json: AsJson = False,
) -> int:
    """Find what is known to fail about a job's plan: where, why, and what to do. Exit code 1 for an error."""
    job = load_job(source, span, typed_agents(agent))
    graph, made = job.decided(inputs_of(job, param), priority)
    found = by_level((*findings_of(graph, made), *known_notices(job, made)))
    counts = counted(found)
    if as_json:
        findings = [finding.model_dump(mode="json") for finding in found]
        print_json({"findings": findings, "counts": {level.value: number for level, number in counts.items()}})
    else:
        _show(out(), job.name, found)
    return 1 if counts[FindingLevel.ERROR] else 0


def _show(console: Console, job: str, found: tuple[Finding, ...]) -> None:
    for level in LEVELS:
        rows = table("rule", "where", "what is wrong", "what to do", title=f"{NOUNS[level].capitalize()}s")
        for finding in (one for one in found if one.level is level):
            rows.add_row(finding.rule, truncate(finding.where, WHERE_CHARACTERS), finding.message, finding.fix)
        if rows.row_count:
            rows.title_style = FINDING_STYLES[level]
            console.print(rows)
            console.print()
    console.print(f"{job}: {_summary(found)}")


def _summary(found: tuple[Finding, ...]) -> str:
    told = [count(number, NOUNS[level]) for level, number in counted(found).items() if number]
    return ", ".join(told) or "nothing found: no rule is broken"
