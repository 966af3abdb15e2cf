"""One loud report for failures that share a cause, instead of one for each of them (F6)."""

from echelon.coordination.context import RunContext
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.incident import Incident
from echelon.runlog.incidents import incidents_of


async def tell_incidents(run: RunContext) -> tuple[Incident, ...]:
    """Report the incidents that nobody was told about yet, each once a process; return all there are.

    Called at each sync point: what is on record by then says how far an incident reached. `tell_growth` says at the end
    how far it went on from there.
    """
    found = incidents_of(run.steps, run.plan)
    news = [one for one in found if run.is_news(_beginning(one))]
    for one in news:
        run.is_news(_reached(one))  # told with it
    await _tell(run, [_report(run, one, Level.CRITICAL, one.message) for one in news])
    return found


async def tell_growth(run: RunContext) -> tuple[Incident, ...]:
    """Report the incidents that reached further than was told, and return them; called once, at the end of a run.

    No alarm is raised for them again: whoever acts on an incident was told when it was found.
    """
    grown = tuple(one for one in incidents_of(run.steps, run.plan) if run.is_news(_reached(one)))
    await _tell(run, [_report(run, one, Level.WARNING, _grown(one)) for one in grown])
    return grown


def _beginning(incident: Incident) -> str:
    return f"incident that began with {(incident.failed or incident.blocked)[0]}"


def _reached(incident: Incident) -> str:
    return f"{_beginning(incident)}: {incident.reach}"


def _grown(incident: Incident) -> str:
    return f"an incident has grown since it was told: {incident.cause}; {incident.reach}; {incident.containment}"


async def _tell(run: RunContext, reports: list[ExceptionReport]) -> None:
    if reports:
        await run.journal.record_exceptions(run.run_id, reports)
        run.exceptions.extend(reports)


def _report(run: RunContext, incident: Incident, level: Level, message: str) -> ExceptionReport:
    path = incident.within or (run.plan.primary.id,)
    return ExceptionReport(trigger=Trigger.INCIDENT, level=level, path=path, message=message, at=run.now())
