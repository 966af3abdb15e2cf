"""`echelon show`: one run, the plan against what was measured; or one agent of it, with its output."""

from typing import Annotated

from cyclopts import Parameter

from echelon.cli.arguments.configured import read_settings
from echelon.cli.arguments.options import AsJson, RunId
from echelon.cli.reading import query
from echelon.cli.recorded import document_of, read_output, recorded_run, steps_of
from echelon.cli.views.output import out, print_json
from echelon.cli.views.show import show_agent, show_run
from echelon.journal.journal import Journal
from echelon.journal.outputs import OutputStore
from echelon.model.run import RunView
from echelon.visibility.breakers import BREAKER_EVENT, BreakerStory, breakers_of


def show(
    run: RunId,
    agent: Annotated[
        str | None, Parameter(help="Task, agent or coordinator of the run; the end of its name will do.")
    ] = None,
    /,
    *,
    output: Annotated[bool, Parameter(help="Print the output itself, as JSON.")] = False,
    as_json: AsJson = False,
) -> int:
    """Show one run, or one agent of it."""
    outputs = OutputStore(read_settings().outputs_url)
    view, breakers = query(lambda journal: _recorded(journal, outputs, run))
    if agent is not None:
        return _agent(view, agent, outputs, output=output, as_json=as_json)
    if as_json:
        print_json(document_of(view) | {"breakers": breakers})
    elif output:
        print_json(view.output)
    else:
        show_run(out(), view, breakers)
    return 0


async def _recorded(journal: Journal, outputs: OutputStore, run: str) -> tuple[RunView, tuple[BreakerStory, ...]]:
    view = await recorded_run(journal, outputs, run)
    return view, breakers_of(await journal.events(view.record.run_id, BREAKER_EVENT))


def _agent(view: RunView, agent: str, outputs: OutputStore, *, output: bool, as_json: bool) -> int:
    steps = steps_of(agent, view)
    found = read_output(steps[-1], outputs) if output else None
    if as_json:
        document = {
            "run_id": view.record.run_id,
            "agent": steps[-1].node,
            "phase": steps[-1].phase,
            "handoff": steps[-1].handoff,
            "attempts": steps,
        }
        print_json(document | ({"output": found} if output else {}))
    elif output:
        print_json(found)
    else:
        show_agent(out(), steps, read_settings().outputs_url)
    return 0
