"""A run that waits for a quota comes back by itself: in its process, or as a flow run of its deployment (F10).

A flow run that goes on with a run names that in a tag; it is scheduled once for each flow run that ended waiting, by
whoever sees that first: the flow run itself, or who serves the deployment.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from echelon.coordination.spec import utc_now
from echelon.engine.served_runs import LIMIT_REACHED
from echelon.model.views.rest import Waiting

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun

#: Begins the tag of a flow run that goes on with a run.
TAG = "echelon-run:"

#: What was to go on and could not, since another run was at work, is tried again after so long.
AGAIN_AFTER = timedelta(seconds=60)

#: Prefect rounds the time until a flow run to whole seconds, and so begins it early.
MARGIN = timedelta(seconds=1)

#: The longest sleep without a look at the clock, in seconds: a machine may be suspended meanwhile.
LOOK_AGAIN_SECONDS = 30.0


def resumed_run(tags: Iterable[str]) -> str | None:
    """Return the run that a flow run goes on with, by its tags; None for one that begins a run of its own."""
    return next((tag.removeprefix(TAG) for tag in tags if tag.startswith(TAG)), None)


def until_of(waiting: Waiting | None) -> datetime | None:
    """Return when a run goes on by itself; None where a person is waited for, or nothing."""
    return datetime.fromisoformat(waiting.until) if waiting is not None and waiting.until else None


async def sleep_until(moment: datetime) -> None:
    """Let time pass until a moment, by the clock on the wall."""
    while (seconds := (moment - utc_now()).total_seconds()) > 0:  # noqa: ASYNC110 - time is all that is waited for
        await asyncio.sleep(min(seconds, LOOK_AGAIN_SECONDS))


async def schedule_continuation(client: "PrefectClient", ended: "FlowRun", run_id: str, until: datetime) -> bool:
    """Let the deployment of a flow run go on with its run at a time; False for one that no deployment started.

    Asked for again for the same flow run, nothing more is scheduled.
    """
    from prefect.states import Scheduled

    if ended.deployment_id is None:
        return False
    was_left_out = ended.state is not None and LIMIT_REACHED in (ended.state.message or "")
    due = max(until, utc_now() + AGAIN_AFTER) if was_left_out else until + MARGIN
    await client.create_flow_run_from_deployment(
        ended.deployment_id,
        parameters=ended.parameters,
        state=Scheduled(scheduled_time=due, message=f"run {run_id} waits for a quota"),
        tags=[f"{TAG}{run_id}"],
        idempotency_key=f"{run_id} after {ended.id}",
    )
    return True
