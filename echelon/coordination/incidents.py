"""One loud report for failures that share a cause, instead of one for each of them (F6)."""

from echelon.coordination.context import RunContext
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.incident import Incident
from echelon.runlog.incidents import incidents_of


async def report_incidents(run: RunContext) -> tuple[Incident, ...]:
    """Report the incidents that nobody was told about yet, each once a process; return all there are.

    Called at each sync point: what is on record by then says how far an incident reached. `report_growth` says at the
    end how far it went on from there.
    """
    found = incidents_of(run.log.state.steps, run.spec.plan)
    news = [one for one in found if run.causes.is_first(_beginning(one))]
    for one in news:
        run.causes.is_first(_reached(one))  # told with it
    await _push(run, [_report(run, one, Level.CRITICAL, one.message) for one in news])
    return found


async def report_growth(run: RunContext) -> tuple[Incident, ...]:
    """Report the incidents that reached further than was told, and return them; called once, at the end of a run.

    No alarm is raised for them again: whoever acts on an incident was told when it was found.
    """
    grown = tuple(one for one in incidents_of(run.log.state.steps, run.spec.plan) if run.causes.is_first(_reached(one)))
    await _push(run, [_report(run, one, Level.WARNING, _grown(one)) for one in grown])
    return grown


def _beginning(incident: Incident) -> str:
    return f"incident that began with {(incident.failed or incident.blocked)[0]}"


def _reached(incident: Incident) -> str:
    return f"{_beginning(incident)}: {incident.reach}"


def _grown(incident: Incident) -> str:
    return f"an incident has grown since it was reported: {incident.cause}; {incident.reach}; {incident.containment}"


async def _push(run: RunContext, reports: list[ExceptionReport]) -> None:
    await run.log.append(*[run.log.pushed(report) for report in reports])


def _report(run: RunContext, incident: Incident, level: Level, message: str) -> ExceptionReport:
    path = incident.within or (run.spec.plan.primary.id,)
    return ExceptionReport(trigger=Trigger.INCIDENT, level=level, path=path, message=message, at=run.now())
