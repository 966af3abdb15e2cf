"""`echelon serve`: run a job on a schedule until stopped."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from echelon.cli.arguments.configured import read_settings
from echelon.cli.arguments.options import AsJson, Params, SourceName, TrustFolder, inputs_of
from echelon.cli.arguments.source import load_job
from echelon.cli.interrupts import Interrupted, leave, run_until_stopped
from echelon.cli.views.output import err, log_to, out
from echelon.cli.views.serving import show_news, show_serving
from echelon.definition.inputs import scheduled_inputs
from echelon.definition.source import parse_source
from echelon.engine.deploying import schedule_of
from echelon.engine.server.settings import configure
from echelon.engine.server.trust import trust
from echelon.engine.serving import serve_job


def serve(
    source: SourceName,
    /,
    *,
    param: Params = None,
    cron: Annotated[str | None, Parameter(help="When to run: minute hour day month weekday.")] = None,
    interval: Annotated[
        float | None, Parameter(validator=Number(gt=0), help="Seconds from one start to the next.")
    ] = None,
    timezone: Annotated[str, Parameter(help="Time zone of --cron.")] = "UTC",
    name: Annotated[str | None, Parameter(help="Name of the deployment; without it the job's.")] = None,
    trust_folder: TrustFolder = False,
    as_json: AsJson = False,
) -> int:
    """Run a job on a schedule until Ctrl-C; uses the Prefect server there is, or keeps one running meanwhile."""
    settings = read_settings()
    if trust_folder:
        trust(settings.home, Path())
    job = load_job(source)
    inputs = inputs_of(job, param)
    log_to(err())
    # Before Prefect is imported: it reads its settings then.
    configure(settings.home)
    schedule = schedule_of(cron=cron, interval_seconds=interval, timezone=timezone)
    serving = serve_job(
        job.entrypoint,
        goal=job.goal,
        root=parse_source(source).root,
        home=settings.home,
        parameters=scheduled_inputs(inputs),
        schedule=schedule,
        name=name or job.name,
        on_ready=lambda serving: show_serving(serving, as_json=as_json),
        on_news=lambda run: show_news(err() if as_json else out(), run),
    )
    try:
        run_until_stopped(
            serving,
            on_stop=lambda: err().print(
                "stopping; the runs at work are ended, and can be resumed (press again to stop at once)"
            ),
            on_kill=lambda: None,
        )
    except Interrupted:
        err().print("echelon: stopped serving; the schedule is paused")
        leave(0)
    return 0
