"""Serving a job: its flow as a deployment with a schedule, each run in a process of its own.

Prefect is imported when a job is served, and not before: it reads its settings then.
"""

import contextlib
import os
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from echelon.engine.server.handle import ServerHandle, ServerKind, resolve_server
from echelon.engine.server.kept import LocalServer
from echelon.engine.server.secret import secret_file
from echelon.model.errors import InvalidInput

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment
    from prefect.schedules import Schedule


#: What makes sense as the time from one start of a run to the next, in seconds: to 10 years.
SHORTEST_INTERVAL_SECONDS, LONGEST_INTERVAL_SECONDS = 1.0, 10 * 365 * 86_400.0


@dataclass(frozen=True, kw_only=True)
class Serving:
    """What is being served, told when the server knows it."""

    deployment: str
    """Name of the deployment, as `flow/name`."""
    server: str
    """Address of the API."""
    ui: str
    """Address of the user interface."""
    secret: Path | None
    """Where the password of the user interface is kept; None for a server that somebody else runs."""
    server_started: bool
    """Was the server started for this, so that it ends with it?"""
    next_run: datetime
    """When the schedule fires next."""


def schedule_of(*, cron: str | None, interval_seconds: float | None, timezone: str) -> "Schedule":
    """Return the schedule; `InvalidInput` unless exactly one kind is given and it makes sense."""
    from prefect.schedules import Cron, Interval
    from prefect.server.schemas.schedules import CronSchedule

    if (cron is None) == (interval_seconds is None):
        raise InvalidInput("serve needs either --cron '0 3 * * *' or --interval SECONDS, and not both")
    try:
        ZoneInfo(timezone)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidInput(f"--timezone {timezone!r} is not known; give a name like UTC or Europe/Berlin") from error
    if cron is None:
        seconds = interval_seconds or 0
        if not SHORTEST_INTERVAL_SECONDS <= seconds <= LONGEST_INTERVAL_SECONDS:
            raise InvalidInput(
                f"--interval {seconds:g} is not between {SHORTEST_INTERVAL_SECONDS:g} second and 10 years; "
                "give seconds from one start to the next"
            )
        return Interval(seconds, anchor_date=datetime.now(UTC), timezone=timezone)
    try:
        CronSchedule(cron=cron, timezone=timezone)
    except ValidationError as error:
        raise InvalidInput(
            f"--cron {cron!r} is not a cron schedule; give five fields: minute hour day month weekday, as '0 3 * * *'"
        ) from error
    return Cron(cron, timezone=timezone)


async def next_run(schedule: "Schedule") -> datetime:
    """Return when a schedule fires next, in its own time zone; `InvalidInput` when it never does."""
    from prefect.server.schemas.schedules import CronSchedule, IntervalSchedule

    zone = schedule.timezone or "UTC"
    if schedule.cron is not None:
        try:
            dates = await CronSchedule(cron=schedule.cron, timezone=zone).get_dates(n=1)
        except ValueError as error:
            raise InvalidInput(
                f"--cron {schedule.cron!r} names a day that never comes; look at its day and month"
            ) from error
    else:
        assert schedule.interval is not None
        timed = IntervalSchedule.model_validate(
            {"interval": schedule.interval, "anchor_date": schedule.anchor_date, "timezone": zone}
        )
        dates = await timed.get_dates(n=1, start=datetime.now(UTC))
    return dates[0].astimezone(ZoneInfo(zone))


async def serve_job(
    entrypoint: str,
    *,
    goal: str,
    root: Path,
    home: Path,
    parameters: Mapping[str, object],
    schedule: "Schedule",
    name: str,
    on_ready: Callable[[Serving], None],
) -> None:
    """Serve a job until cancelled; then its schedule is paused, and runs that are at work are ended.

    Uses the server that is configured or kept; where there is none, one with a scheduler is kept running meanwhile.
    `entrypoint` is `module:variable.flow`; `root` is the folder that the module is imported from, and becomes the
    working folder of this process and of every run.
    """
    from prefect.runner import Runner

    await next_run(schedule)  # one that never fires needs no server
    _prepare_children(root, home)
    # Blocks on purpose: cancelled halfway, a server would be left that nobody ends.
    with scheduling_server(home) as (server, started), server.connected():
        deployment = deployment_of(
            entrypoint, goal=goal, root=root, parameters=parameters, schedule=schedule, name=name
        )
        runner = Runner(name=name)
        await runner.aadd_deployment(deployment)
        on_ready(
            Serving(
                deployment=deployment.full_name,
                server=server.url,
                ui=server.url.removesuffix("/api"),
                secret=None if server.kind is ServerKind.CONFIGURED else secret_file(home / "prefect"),
                server_started=started,
                next_run=await next_run(schedule),
            )
        )
        await runner.start()


def deployment_of(
    entrypoint: str,
    *,
    goal: str,
    root: Path,
    parameters: Mapping[str, object],
    schedule: "Schedule",
    name: str,
) -> "RunnerDeployment":
    """Return the deployment of a job: each run imports it anew by its dotted name, nothing is pickled."""
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.deployments.runner import RunnerDeployment

    # A run that is due while one is at work would look at the same things; the next one finds what it would have found.
    one_at_a_time = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
    deployment = RunnerDeployment.from_entrypoint(
        entrypoint,
        name=name,
        parameters=dict(parameters),
        schedule=schedule,
        description=goal,
        concurrency_limit=one_at_a_time,
    )
    # Prefect takes the working folder, and offers no argument for it.
    deployment._path = str(root)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - a door with a test
    return deployment


@contextlib.contextmanager
def scheduling_server(home: Path) -> Generator[tuple[ServerHandle, bool]]:
    """Give a server that fires schedules, and whether it was started here; then it ends with the block."""
    local = LocalServer(home)
    started = resolve_server(home).kind is ServerKind.EMBEDDED and local.up()[1]
    try:
        with resolve_server(home) as server:
            server.wait_ready()
            yield server, started
    finally:
        if started:
            local.down()


def _prepare_children(root: Path, home: Path) -> None:
    """Let the processes of the runs find the project and the home, wherever this one was started."""
    inherited = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(root), inherited] if inherited else [str(root)])
    os.environ["ECHELON_HOME"] = str(home.absolute())
    os.chdir(root)
