"""A flow run asks people: suspended at a gate it holds no process, and answered in Prefect's form it begins again (O8).

Prefect is imported already where this is used: inside a flow run.
"""

from typing import TYPE_CHECKING

from echelon.coordination.spec import utc_now
from echelon.engine.asking.care import next_to_ask
from echelon.engine.asking.flow_runs import AskingFlowRun, FlowRuns
from echelon.engine.asking.form_answers import record_form_answers
from echelon.engine.asking.gate_form import form_of, key_of
from echelon.engine.asking.gate_page import page_of
from echelon.engine.asking.inside import gates_of_run
from echelon.engine.asking.tending import Caretaker
from echelon.journal.failpoints import failpoint
from echelon.journal.journal import SqlJournal
from echelon.journal.port import Journal
from echelon.model.oversight.gate import GateRecord
from echelon.model.run import RunResult, RunStatus
from echelon.oversight.gates.answering import concerns_of_gate
from echelon.settings import Settings

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient


async def take_up_answers(client: "PrefectClient", flow_run_id: str) -> None:
    """Do what comes before the work of a flow run: what was filled in is on record when this returns.

    A flow run that goes on with a run is the only one then: others that ask about it, or are to come, are ended.
    """
    flow_runs = FlowRuns.through(client)
    flow_run = await flow_runs.read(flow_run_id)
    if not flow_run.can_ask or not (flow_run.keys or flow_run.resumed):
        return
    async with SqlJournal.open(Settings()) as journal:
        await record_form_answers(flow_runs, journal, flow_run)
        failpoint("form.recorded")
        await _replace_others(flow_runs, journal, flow_run)


async def _replace_others(flow_runs: FlowRuns, journal: Journal, flow_run: AskingFlowRun) -> None:
    record = await journal.known_run(**flow_run.run_key)
    if record is None:
        return
    said = f"run {record.run_id} goes on in flow run {flow_run.name!r}"
    for one in await flow_runs.find_suspended(record):
        if one.id != flow_run.id:
            await record_form_answers(flow_runs, journal, one)
            await flow_runs.end(one, RunStatus.INTERRUPTED, said)
    for one in await flow_runs.find_to_come(record.run_id):
        if one.id != flow_run.id:
            await flow_runs.delete(one)


async def ask_people(client: "PrefectClient", flow_run_id: str, result: RunResult) -> None:
    """Do what comes after the work of a flow run: others are looked after, and where a gate is open, it is suspended.

    Raises Prefect's `Pause` then, by which its process ends; returns where nobody is asked.
    """
    from prefect.exceptions import Pause

    flow_runs = FlowRuns.through(client)
    flow_run = await flow_runs.read(flow_run_id)
    if flow_run.deployment_id is None or not flow_run.can_ask:
        return
    async with SqlJournal.open(Settings()) as journal:
        await Caretaker(client, journal).tend_deployment(flow_run.deployment_id, but=flow_run.id)
        waiting = await gates_of_run(journal, result.run_id, open_only=True)
        gate = next_to_ask(waiting)
        if gate is None:
            return
        failpoint("gate.suspending")
        try:
            await _suspend(journal, flow_run, gate, len(waiting) - 1)
        except Pause:
            failpoint("gate.suspended")
            left = await gates_of_run(journal, result.run_id, open_only=True)
            if {one.id for one in left} != {one.id for one in waiting}:  # answered while this was under way
                await flow_runs.wake(flow_run, f"run {result.run_id}: a gate was answered elsewhere", utc_now())
            raise


async def _suspend(journal: Journal, flow_run: AskingFlowRun, gate: GateRecord, others: int) -> None:
    """Suspend this flow run with the form of a gate; raises Prefect's `Pause`."""
    from prefect.flow_runs import asuspend_flow_run

    form = form_of(gate, page_of(gate, await concerns_of_gate(journal, gate), others))
    await asuspend_flow_run(wait_for_input=form, key=key_of(gate.id, len(flow_run.empirical_policy.pause_keys or ())))
