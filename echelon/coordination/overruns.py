"""Budgets that were passed all the same: never silent, since somebody pays for them (F4)."""

from echelon.coordination.context import RunContext
from echelon.coordination.step.record import raised
from echelon.model.concern import Concern
from echelon.model.exception_report import ExceptionReport, Level, Trigger

#: Passing a budget is certain once it is counted, and about as bad as what a budget is for.
CONFIDENCE, IMPACT = 1.0, 0.9

#: Budgets that are named in the concern; all of them are pushed.
MAX_NAMED = 5


async def report_overruns(run: RunContext) -> None:
    """Report each budget that was passed, once, and raise one concern about them: the run is over a stated limit.

    A call takes what it takes; it is refused before only as far as it was estimated or as others had used everything.
    """
    said = {report.message for report in run.log.state.exceptions if report.trigger is Trigger.OVERRUN}
    passed = [line for line in run.accounts.passed() if line not in said]
    if not passed:
        return
    owner, at = run.spec.plan.primary.id, run.now()
    concern = Concern(about="budget", message="; ".join(passed[:MAX_NAMED]), confidence=CONFIDENCE, impact=IMPACT)
    reports = [
        ExceptionReport(trigger=Trigger.OVERRUN, level=Level.CRITICAL, path=(owner,), message=line, at=at)
        for line in passed
    ]
    await run.log.append(raised(run, owner, concern, at), *map(run.log.pushed, reports))
