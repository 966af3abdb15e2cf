"""Flow runs that ask, or were cut short, are looked after: by who serves them, and by each flow run as it ends."""

import logging
from typing import TYPE_CHECKING
from uuid import UUID

from echelon.coordination.spec import utc_now
from echelon.engine.asking.care import Care, care_for, why_ended
from echelon.engine.asking.flow_runs import AskingFlowRun, FlowRuns
from echelon.engine.asking.form_answers import record_form_answers
from echelon.engine.asking.inside import gates_of_run
from echelon.engine.continuing import AGAIN_AFTER, schedule_continuation
from echelon.engine.picture.api import Refused, Unreachable
from echelon.journal.port import Journal
from echelon.model.run import RunRecord

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

log = logging.getLogger("echelon.engine")


class Caretaker:
    """Looks after the flow runs of a server that nobody is at work in."""

    def __init__(self, client: "PrefectClient", journal: Journal) -> None:
        self._client = client
        self._flow_runs = FlowRuns.through(client)
        self._journal = journal
        self._scheduled: set[UUID] = set()

    async def tend_deployment(self, deployment_id: UUID, but: UUID | None = None) -> None:
        """Look after the flow runs of a deployment, `but` one; what cannot be done now is said and left."""
        try:
            for flow_run in await self._flow_runs.find_unattended(deployment_id):
                if flow_run.id != but:
                    await self.tend(flow_run)
        except (Unreachable, Refused) as error:
            log.warning("flow runs that wait for people cannot be looked after at the moment: %s", error)

    async def tend_one(self, flow_run_id: str) -> Care | None:
        """Do what a flow run needs, by its id."""
        return await self.tend(await self._flow_runs.read(flow_run_id))

    async def tend(self, flow_run: AskingFlowRun) -> Care | None:
        """Do what a flow run needs, and return it."""
        record = await self._journal.known_run(**flow_run.run_key)
        if record is None or flow_run.id in self._scheduled:
            return None
        gates = await gates_of_run(self._journal, record.run_id)
        care = care_for(flow_run, record, gates)
        if care is Care.WAKE:
            await self._flow_runs.wake(flow_run, f"run {record.run_id}: a gate was answered elsewhere", utc_now())
        elif care is Care.END:
            await self._flow_runs.end(flow_run, record.status, why_ended(flow_run, record, gates))
        elif care is Care.AGAIN:
            await self._go_on(flow_run, record)
        return care

    async def _go_on(self, flow_run: AskingFlowRun, record: RunRecord) -> None:
        """Have the run of a flow run that was cut short gone on with, and keep what was filled in in it."""
        await record_form_answers(self._flow_runs, self._journal, flow_run)
        self._scheduled.add(flow_run.id)
        if await self._flow_runs.find_suspended(record):  # another one asks already
            return
        soon, to_come = utc_now() + AGAIN_AFTER, await self._flow_runs.find_to_come(record.run_id)
        if any(one.next_scheduled_start_time and one.next_scheduled_start_time <= soon for one in to_come):
            return
        for one in to_come:  # it was to wait for the end of a gate
            await self._flow_runs.delete(one)
        ended = await self._client.read_flow_run(flow_run.id)
        await schedule_continuation(self._client, ended, record.run_id, soon)
