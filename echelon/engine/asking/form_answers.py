"""What was filled in in Prefect becomes an answer on record, as one of the command line does; the journal decides."""

import logging
from datetime import datetime

from pydantic import ValidationError

from echelon.engine.asking.flow_runs import AskingFlowRun, FlowRuns, GivenAnswer
from echelon.engine.asking.gate_form import FormAnswer, gate_of_key
from echelon.journal.port import Journal
from echelon.model.oversight.gate import GateRecord
from echelon.oversight.gates.answering import Answered, answer_gate

log = logging.getLogger("echelon.engine")


async def record_form_answers(flow_runs: FlowRuns, journal: Journal, flow_run: AskingFlowRun) -> list[Answered]:
    """Put on record what was filled in in a flow run, each answer once, however often this is done."""
    found: list[Answered] = []
    for given in await flow_runs.read_answers(flow_run):
        gate_id = gate_of_key(given.key)
        known = await journal.gates(ids=[gate_id]) if gate_id else ()
        answer = _read(given)
        if answer is not None and known and not _is_on_record(known[0], given.at):
            found.append(await answer_gate(journal, known[0].id, answer.wish, given.at))
    for one in found:
        counts = f"does not count: {one.answer.refused}" if one.answer.refused else "counts"
        log.info("gate %s: %s by %s, in Prefect's form, %s", one.gate.id, one.answer.verdict, one.answer.author, counts)
    return found


def _read(given: GivenAnswer) -> FormAnswer | None:
    """Return what was filled in; None where it is no answer, so that the form is shown again."""
    try:
        return FormAnswer.model_validate_json(given.value)
    except ValidationError as error:
        log.warning("what Prefect has for %s is no answer to a gate: %s", given.key, error)
        return None


def _is_on_record(gate: GateRecord, at: datetime) -> bool:
    return any(one.channel == "prefect" and one.at == at for one in gate.answers)
