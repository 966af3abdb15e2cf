"""One loud report for failures that share a cause, instead of one for each of them (F6)."""

from echelon.coordination.context import RunContext
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.incident import Incident
from echelon.visibility.incidents import incidents_of


async def tell_incidents(run: RunContext) -> tuple[Incident, ...]:
    """Report the incidents that nobody was told about yet, each once a process; return all there are.

    Called at each sync point: what is on record by then says how far an incident reached. `incidents_of` says at any
    later time how far it went on from there.
    """
    found = incidents_of(run.steps, run.plan)
    news = [one for one in found if run.is_news(f"incident that began with {(one.failed or one.blocked)[0]}")]
    if news:
        reports = [_report(run, one) for one in news]
        await run.journal.record_exceptions(run.run_id, reports)
        run.exceptions.extend(reports)
    return found


def _report(run: RunContext, incident: Incident) -> ExceptionReport:
    return ExceptionReport(
        trigger=Trigger.INCIDENT,
        level=Level.CRITICAL,
        path=incident.within or (run.plan.primary.id,),
        message=incident.message,
        at=run.now(),
    )
