"""`echelon show`: one run, the plan against what was measured; or one agent of it, with its output."""

from typing import Annotated

from cyclopts import Parameter

from echelon.cli.arguments.configured import read_settings
from echelon.cli.arguments.options import AsJson, RunId
from echelon.cli.arguments.standing import standing_now
from echelon.cli.following.trace import Asked, print_trace
from echelon.cli.reading import query
from echelon.cli.views.output import facts, out, print_json
from echelon.cli.views.show import show_agent, show_run
from echelon.cli.views.voices import show_at_work
from echelon.engine.picture.request import trouble_of
from echelon.journal.outputs import OutputStore
from echelon.model.adapter import JsonObject
from echelon.model.errors import InvalidInput, JournalError
from echelon.model.run import RunRecord, RunView
from echelon.visibility.conversations import conversations_of
from echelon.visibility.document import document_of, steps_of, task_of
from echelon.visibility.history import view_run
from echelon.visibility.standing import window_documents, window_lines
from echelon.visibility.voices.agents import AgentVoice, voice_of

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
    log: Annotated[bool, Parameter(help="Print what the agent logged and printed; without one, what all did.")] = False,
    messages: Annotated[
        bool, Parameter(help="Print what the agent's model was asked and answered; without one, of all.")
    ] = False,
    follow: Annotated[
        bool, Parameter(help="Go on as things happen, until the agent or the run has ended; with --json a line each.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Show one run, or one agent of it."""
    if log or messages or follow:
        if output:
            raise InvalidInput("--output is not a part of what was logged or said: ask for it by itself")
        both = follow and not (log or messages)
        asked = Asked(run=run, agent=agent, log=log or both, messages=messages or both, as_json=as_json)
        return print_trace(asked, follow=follow)
    outputs = OutputStore(read_settings().outputs_url)
    view = query(lambda journal: view_run(journal, outputs, run))
    if agent is not None:
        return _agent(view, agent, outputs, output=output, as_json=as_json)
    if output and not as_json:
        _print_output(view)
        return 0
    run_id = view.record.run_id
    nested = query(lambda journal: journal.runs(MAX_NESTED, inside=run_id))
    standing = standing_now(view.record.plan)
    if as_json:
        windows = {"windows": window_documents(*standing)}
        print_json(document_of(view) | {"nested": [_nested(one) for one in reversed(nested)]} | windows)
    else:
        show_run(out(), view, nested, trouble_of(run_id, read_settings()))
        facts(out(), [("budgets", "\n".join(window_lines(*standing)))])
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


def _agent(view: RunView, agent: str, outputs: OutputStore, *, output: bool, as_json: bool) -> int:
    task = task_of(agent, view.record, view.steps)
    voice = voice_of(view, task)
    if task in view.at_work and not output and all(step.handoff.task_id != task for step in view.steps):
        return _at_work(view, task, voice, as_json=as_json)
    steps = steps_of(agent, view)
    conversations = conversations_of(task, view)
    lines = view.log_lines.get(task, 0)
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
            "log_lines": lines,
            **voice._asdict(),
        }
        print_json(document | ({"output": found} if output else {}))
    elif output:
        print_json(found)
    else:
        show_agent(out(), steps, conversations, voice, read_settings().outputs_url, lines)
    return 0


def _at_work(view: RunView, task: str, voice: AgentVoice, *, as_json: bool) -> int:
    """Show what an agent has said that has not ended anything yet."""
    if as_json:
        print_json({"run_id": view.record.run_id, "agent": task, "status": "at work", **voice._asdict()})
    else:
        show_at_work(out(), task, voice)
    return 0
