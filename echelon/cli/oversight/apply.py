"""`echelon apply`: what a run would change, and has only recorded so far, is done after a person has looked at it."""

from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter

from echelon.cli.arguments.options import AsJson, RunId
from echelon.cli.arguments.user import user_name
from echelon.cli.oversight.gates import By
from echelon.cli.reading import query
from echelon.cli.run import resume
from echelon.cli.views.output import err
from echelon.engine.asking.inside import gates_of_run
from echelon.journal.port import Journal
from echelon.model.errors import InvalidInput
from echelon.model.phrasing import listed
from echelon.oversight.gates.answering import Answered, answer_gate
from echelon.oversight.gates.answers import AnswerWish
from echelon.visibility.gates import gate_line

#: Gates that a refusal names at most.
MAX_NAMED = 5


def apply(
    run: RunId,
    /,
    *,
    reason: Annotated[str, Parameter(help="What was looked at; it is kept with each answer.")],
    by: By = None,
    as_json: AsJson = False,
) -> int:
    """Do what the staged phases of a run would change, as `echelon gates --run RUN` and `gates show ID` say it."""
    if not reason.strip():
        raise InvalidInput("--reason is empty; say what was looked at, it is kept with each answer")
    wish = AnswerWish(verdict="approve", author=by or user_name(), reason=reason)
    run_id, answered = query(lambda journal: _approve(journal, run, wish))
    refused = [one for one in answered if not one.counts]
    if refused:
        names = listed([one.gate.id for one in refused], MAX_NAMED)
        raise InvalidInput(f"nothing of {names} is done: {refused[0].answer.refused}")
    for one in answered:
        err().print(gate_line(one.gate, datetime.now(UTC)))
    return resume(run_id, as_json=as_json)


async def _approve(journal: Journal, run: str, wish: AnswerWish) -> tuple[str, list[Answered]]:
    run_id = (await journal.run(run)).run_id
    staged = [gate for gate in await gates_of_run(journal, run_id, open_only=True) if gate.terms.staged]
    if not staged:
        raise InvalidInput(f"run {run_id!r} has nothing staged that is not done; `echelon gates --run {run_id} --all`")
    return run_id, [await answer_gate(journal, gate.id, wish) for gate in staged]
