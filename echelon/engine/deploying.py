"""A job as a deployment of Prefect: its schedule, checked, and how each run finds the job.

Prefect is imported when a job is served, and not before: it reads its settings then.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from echelon.model.errors import InvalidInput

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment
    from prefect.schedules import Schedule


#: What makes sense as the time from one start of a run to the next, in seconds: to 10 years.
SHORTEST_INTERVAL_SECONDS, LONGEST_INTERVAL_SECONDS = 1.0, 10 * 365 * 86_400.0


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
