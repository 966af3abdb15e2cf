"""`echelon gates`: what waits for a person, and the answers: all are kept, the first that counts decides (O8)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from cyclopts import App, Parameter

from echelon.cli.arguments.configured import read_settings
from echelon.cli.arguments.options import AsJson
from echelon.cli.arguments.user import user_name
from echelon.cli.oversight.asking import ask_gates, check_terminal
from echelon.cli.oversight.typed_answer import next_step, read_output
from echelon.cli.reading import query
from echelon.cli.views.output import err, facts, out, print_json
from echelon.engine.asking.inside import gates_of_run, run_around
from echelon.engine.asking.waking import wake_flow_runs
from echelon.journal.port import Journal
from echelon.model.errors import InvalidInput
from echelon.model.oversight.gate import GateRecord, Verdict
from echelon.model.phrasing import moment
from echelon.oversight.gates.answering import (
    Answered,
    answer_gate,
    concerns_listed,
    concerns_of_gate,
    extend_gate,
    find_gate,
)
from echelon.oversight.gates.answers import AnswerWish, check_reason, more_time
from echelon.oversight.gates.habits import rubber_stamps
from echelon.runlog.gates import time_is_up
from echelon.visibility.gates import (
    answer_lines,
    by_run,
    gate_facts,
    gate_line,
    takes_answers,
    ways_to_answer,
    what_follows,
)

#: Exit code where an answer does not count.
REFUSED = 2

GateId = Annotated[str, Parameter(name="id", help="Id of a gate.")]
By = Annotated[str | None, Parameter(name=("--as", "--by"), help="Who answers; without it the name of the user.")]
Reason = Annotated[str, Parameter(help="Why; it is kept with the answer.")]
Run = Annotated[str | None, Parameter(help="All open gates of this run, and of runs inside it.")]

app = App(
    name="gates",
    help_format="plaintext",
    help_epilogue="Example:  echelon gates approve g0c4f7d21aa --reason 'checked against the order'",
)


def _example(command: str) -> str:
    return f"Example:  echelon gates {command}"


@app.default
@app.command(name="list", help_epilogue=_example("list --run audit-20260131-120000-ab12 --all"))
def list_gates(
    *,
    run: Annotated[str | None, Parameter(help="Only those of this run, and of runs inside it.")] = None,
    all_of_them: Annotated[bool, Parameter(name="--all", help="Also those that were answered, or closed.")] = False,
    as_json: AsJson = False,
) -> int:
    """List what waits for a person: run by run, the run that asked first before the others."""
    known, now = query(lambda journal: _read(journal, run, open_only=False)), datetime.now(UTC)
    found = [gate for gate in known if all_of_them or gate.is_open]
    stamps = rubber_stamps(known)
    if as_json:
        documents = [_document(gate, now) for gate in found]
        print_json({"gates": documents, "rubber_stamps": [one._asdict() for one in stamps]})
        return 0
    for gate in found:
        out().print(gate_line(gate, now))
        out().print(f"    run {gate.run_id}")
    if not found:
        out().print("no gates" if all_of_them else "nothing waits for a person; --all lists what was answered")
    elif waiting := [gate for gate in found if takes_answers(gate, now)]:
        out().print(f"look at one: echelon gates show ID; {ways_to_answer(waiting)}")
    for one in stamps:
        out().print(one.said)
    return 0


@app.command(name="show", help_epilogue=_example("show g0c4f7d21aa"))
def show_gate(gate_id: GateId, /, *, as_json: AsJson = False) -> int:
    """Show everything that is needed to answer a gate."""

    async def read(journal: Journal) -> tuple[GateRecord, Any, Any]:
        found = await find_gate(journal, gate_id)
        holding = await concerns_of_gate(journal, found)
        return found, holding, await concerns_listed(journal, found, holding)

    (gate, holding, others), now = query(read), datetime.now(UTC)
    if as_json:
        print_json({**_document(gate, now), "holding": [one.id for one in holding]})
        return 0
    out().print(gate_line(gate, now))
    facts(out(), gate_facts(gate, now, holding, others))
    if holding:
        out().print("concerns come first: echelon concerns show ID, then echelon concerns dispose ID …")
    for line in answer_lines(gate) if takes_answers(gate, now) else ():
        out().print(line)
    return 0


@app.command(name="answer", help_epilogue=_example("answer --run audit-20260131-120000-ab12"))
def answer(*gate_ids: GateId, run: Run = None, by: By = None) -> int:
    """Show gates one after the other in this terminal, and ask for an answer to each."""
    check_terminal("echelon gates answer")
    ids = list(gate_ids)
    found = query(lambda journal: _read_named(journal, ids) if ids else _read(journal, run, open_only=True))
    now = datetime.now(UTC)
    waiting = [gate for gate in found if takes_answers(gate, now)]
    if not waiting:
        out().print("nothing waits for a person")
        return 0
    _show_next(_wake(ask_gates(err(), waiting, by or user_name())))
    return 0


@app.command(name="approve", help_epilogue=_example("approve g0c4f7d21aa --reason 'checked against the order'"))
def approve(
    *gate_ids: GateId,
    reason: Reason,
    run: Run = None,
    by: By = None,
    partial: Annotated[bool, Parameter(help="It may begin without what is missing of its inputs.")] = False,
    as_json: AsJson = False,
) -> int:
    """Let steps begin: each does exactly what its gate shows, once."""
    return _answer("approve", gate_ids, run, by, reason, partial=partial, as_json=as_json)


@app.command(name="deny", help_epilogue=_example("deny g0c4f7d21aa --reason 'paid by card already'"))
def deny(*gate_ids: GateId, reason: Reason, run: Run = None, by: By = None, as_json: AsJson = False) -> int:
    """Say that steps must not be done; they fail, and what can do without them goes on."""
    return _answer("deny", gate_ids, run, by, reason, as_json=as_json)


@app.command(name="done", help_epilogue=_example("done g0c4f7d21aa --output '\"sent\"' --reason 'on the statement'"))
def done(
    *gate_ids: GateId,
    reason: Reason,
    output: Annotated[str, Parameter(help="What came of it, in JSON.")],
    run: Run = None,
    by: By = None,
    as_json: AsJson = False,
) -> int:
    """Say of steps that were cut off that they happened, and what came of them."""
    return _answer("done", gate_ids, run, by, reason, output=read_output(output), as_json=as_json)


@app.command(name="extend", help_epilogue=_example("extend g0c4f7d21aa --hours 8 --reason 'mia is back tomorrow'"))
def extend(
    gate_id: GateId,
    /,
    *,
    hours: Annotated[float, Parameter(help="How much longer an answer is waited for.")],
    reason: Reason = "",
    by: By = None,
    as_json: AsJson = False,
) -> int:
    """Give a gate more time: anybody may."""
    more, author = more_time(hours), by or user_name()
    gate = query(lambda journal: extend_gate(journal, gate_id, more, author, reason))
    if as_json:
        print_json(_document(gate, datetime.now(UTC)))
    elif gate.expires is not None:
        out().print(f"{gate.id}: extended by {author} until {moment(gate.expires)}")
    return 0


def _answer(
    verdict: Verdict,
    gate_ids: Sequence[str],
    run: str | None,
    by: str | None,
    reason: str,
    *,
    partial: bool = False,
    output: object = None,
    as_json: bool,
) -> int:
    """Answer gates by id, or all open ones of a run; the exit code says whether all answers count."""
    check_reason(reason)
    if bool(gate_ids) == (run is not None):
        raise InvalidInput("name the gates to answer, or give --run RUN for all open ones of a run")
    wish = AnswerWish(verdict=verdict, author=by or user_name(), reason=reason, partial=partial, output=output)
    answered = query(lambda journal: _answer_all(journal, gate_ids, run, wish))
    woken = _wake(answered)
    if as_json:
        now = datetime.now(UTC)
        documents = [{**_document(one.gate, now), "refused": one.answer.refused} for one in answered]
        print_json({"gates": documents, "flow_runs": woken})
    else:
        _show(answered)
        _show_next(woken)
    return 0 if all(one.counts for one in answered) else REFUSED


async def _answer_all(journal: Journal, gate_ids: Sequence[str], run: str | None, wish: AnswerWish) -> list[Answered]:
    ids = list(gate_ids) or [gate.id for gate in await _read(journal, run, open_only=True)]
    if not ids:
        raise InvalidInput(f"run {run!r} has no open gate; `echelon gates --run {run} --all` shows what was answered")
    for gate_id in ids:  # a misspelt one must not be found when half of them are answered
        await find_gate(journal, gate_id)
    return [await answer_gate(journal, gate_id, wish) for gate_id in ids]


def _wake(answered: Sequence[Answered]) -> dict[str, list[str]]:
    """Let the flow runs go on that are suspended in Prefect, and return for each run to go on with their names.

    That is the run around it, where the one that was answered is inside another one.
    """
    run_ids = list(dict.fromkeys(one.gate.run_id for one in answered if one.counts))

    async def wake(journal: Journal) -> dict[str, list[str]]:
        around = [await run_around(journal, run_id) for run_id in run_ids]
        return {run_id: await wake_flow_runs(journal, run_id, read_settings()) for run_id in dict.fromkeys(around)}

    return query(wake) if run_ids else {}


async def _read_named(journal: Journal, ids: Sequence[str]) -> tuple[GateRecord, ...]:
    return tuple([await find_gate(journal, gate_id) for gate_id in ids])


async def _read(journal: Journal, run: str | None, *, open_only: bool) -> tuple[GateRecord, ...]:
    if not run:
        return by_run(await journal.gates(open_only=open_only))
    return by_run(await gates_of_run(journal, (await journal.run(run)).run_id, open_only=open_only))


def _show(answered: Sequence[Answered]) -> None:
    for one in answered:
        if one.counts:
            out().print(f"{one.gate.id}: {one.answer.verdict} by {one.answer.author}{what_follows(*one)}")
        else:
            out().print(f"{one.gate.id}: this answer does not count, and is on record: {one.answer.refused}")


def _show_next(woken: Mapping[str, Sequence[str]]) -> None:
    for run_id, flow_runs in woken.items():
        out().print(next_step(run_id, flow_runs))


def _document(gate: GateRecord, now: datetime) -> dict[str, Any]:
    decided = gate.decision
    more = {
        "open": takes_answers(gate, now),
        "time_is_up": bool(time_is_up(gate, now)),
        "decision": decided and decided.model_dump(mode="json"),
    }
    return gate.model_dump(mode="json") | more
