"""`echelon show`: one run, the plan against what was measured; or one agent of it, with its output."""

from typing import Annotated

from cyclopts import Parameter

from echelon.cli.arguments.configured import read_settings
from echelon.cli.arguments.options import AsJson, RunId
from echelon.cli.reading import query
from echelon.cli.views.messages import read_said, show_messages
from echelon.cli.views.output import out, print_json
from echelon.cli.views.show import show_agent, show_log, show_run
from echelon.engine.picture.request import trouble_of
from echelon.journal.outputs import OutputStore
from echelon.model.adapter import JsonObject
from echelon.model.errors import InvalidInput, JournalError
from echelon.model.run import RunRecord, RunView
from echelon.runlog.events import Logged
from echelon.visibility.conversations import conversations_of, why_none
from echelon.visibility.document import document_of, steps_of, task_of
from echelon.visibility.history import view_run

#: Runs inside of a run that are asked for; the newest.
MAX_NESTED = 1_000


def show(
    run: RunId,
    agent: Annotated[
        str | None, Parameter(help="Task, agent or coordinator of the run; the end of its name will do.")
    ] = None,
    /,
    *,
    output: Annotated[bool, Parameter(help="Print the output itself, as JSON.")] = False,
    log: Annotated[bool, Parameter(help="Print what the agent logged and printed.")] = False,
    messages: Annotated[bool, Parameter(help="Print what the agent's model was asked and answered.")] = False,
    as_json: AsJson = False,
) -> int:
    """Show one run, or one agent of it."""
    outputs = OutputStore(read_settings().outputs_url)
    view = query(lambda journal: view_run(journal, outputs, run))
    if log:
        return _log(view, agent, as_json=as_json)
    if messages:
        return _messages(view, agent, outputs, as_json=as_json)
    if agent is not None:
        return _agent(view, agent, outputs, output=output, as_json=as_json)
    if output and not as_json:
        _print_output(view)
        return 0
    run_id = view.record.run_id
    nested = query(lambda journal: journal.runs(MAX_NESTED, inside=run_id))
    if as_json:
        print_json(document_of(view) | {"nested": [_nested(one) for one in reversed(nested)]})
    else:
        show_run(out(), view, nested, trouble_of(run_id, read_settings()))
    return 0


def _nested(record: RunRecord) -> JsonObject:
    told = {"run_id", "job", "status", "parent_task", "started", "finished"}
    return record.model_dump(mode="json", include=told)


def _print_output(view: RunView) -> None:
    """Print the output of a run; `JournalError` when some of it cannot be read any more."""
    if view.output is not None or not view.lost_outputs:
        print_json(view.output)
    if view.lost_outputs:
        raise JournalError("; ".join(view.lost_outputs))


def _log(view: RunView, agent: str | None, *, as_json: bool) -> int:
    run_id, task = view.record.run_id, _task(view, agent, "--log")
    entries = query(lambda journal: journal.events(run_id, kinds=("logged",), subject=task))
    lines = [entry.event for entry in entries if isinstance(entry.event, Logged)]
    if as_json:
        document = [line.model_dump(mode="json", exclude={"run_id", "kind"}) for line in lines]
        print_json({"run_id": run_id, "agent": task, "log": document})
    else:
        show_log(out(), task, lines)
    return 0


def _messages(view: RunView, agent: str | None, outputs: OutputStore, *, as_json: bool) -> int:
    """Print what was said; `JournalError` when some of it cannot be read any more."""
    task = _task(view, agent, "--messages")
    said = [read_said(one, outputs) for one in conversations_of(task, view)]
    none = "" if said else why_none(task, view)
    if as_json:
        documents = [one.document for one in said]
        print_json({"run_id": view.record.run_id, "agent": task, "conversations": documents, "why_none": none})
    else:
        show_messages(out(), task, said, none)
    if lost := [one.lost for one in said if one.lost]:
        raise JournalError("; ".join(lost))
    return 0


def _task(view: RunView, agent: str | None, option: str) -> str:
    """Return the task that is meant; `InvalidInput` when none is named."""
    if agent is None:
        raise InvalidInput(
            f"{option} is about one agent: name it behind the run, as in `echelon show RUN AGENT {option}`"
        )
    return task_of(agent, view)


def _agent(view: RunView, agent: str, outputs: OutputStore, *, output: bool, as_json: bool) -> int:
    steps = steps_of(agent, view)
    conversations = conversations_of(steps[-1].handoff.task_id, view)
    location = steps[-1].handoff.output_location
    found = outputs.read_json(location) if output and location else None
    if as_json:
        document = {
            "run_id": view.record.run_id,
            "agent": steps[-1].node,
            "phase": steps[-1].phase,
            "handoff": steps[-1].handoff,
            "attempts": steps,
            "conversations": conversations,
        }
        print_json(document | ({"output": found} if output else {}))
    elif output:
        print_json(found)
    else:
        show_agent(out(), steps, conversations, read_settings().outputs_url)
    return 0
