"""What a check said in a step of its own, read from its handoff (D11, O3)."""

from echelon.agents.agent import Agent
from echelon.agents.checks.verdict import Verdict, verdict_of
from echelon.coordination.context import RunContext
from echelon.coordination.success.judging import report_of
from echelon.model.handoff import Handoff
from echelon.model.verification.verification import CheckReport


async def read_verdict(run: RunContext, check: Agent, checked: Handoff) -> Verdict:
    """Return what a check answered; asked of a step that was completed."""
    assert checked.output_location is not None, "what was completed has an output"
    return verdict_of(await run.read(checked.output_location, check.output_type))


async def read_report(run: RunContext, check: Agent, checked: Handoff) -> CheckReport:
    """Return what a check says, in a report: also that it failed itself, and why."""
    if not checked.done:
        said = checked.error.message if checked.error else "it did not end"
        return CheckReport(name=check.name, result="error", gap=said)
    return report_of(check.name, await read_verdict(run, check, checked))
