"""What `echelon show RUN [AGENT] --log --messages --follow` prints: as it is on record, or as it happens."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from echelon.cli.arguments.configured import read_settings
from echelon.cli.following.feed import Idle, read_events
from echelon.cli.reading import query
from echelon.cli.views.messages import Said, read_said
from echelon.cli.views.output import err, out, print_json
from echelon.cli.views.trace import JsonPrinter, Printer, TextPrinter, line_document, show_trace
from echelon.journal.outputs import OutputStore
from echelon.journal.port import Journal
from echelon.model.adapter import JsonObject
from echelon.model.errors import InvalidInput, JournalError
from echelon.model.run import RunRecord
from echelon.runlog.events import Logged, ModelAsked, PlanExtended
from echelon.runlog.watched import Watched
from echelon.visibility.conversations import why_none
from echelon.visibility.document import task_of
from echelon.visibility.history import view_run


@dataclass(frozen=True)
class Asked:
    """What somebody wants to read."""

    run: str
    """The run, by its id or the beginning of it."""
    agent: str | None
    """The agent; None: all of them."""
    log: bool
    """What is logged and printed."""
    messages: bool
    """What models are asked and answered."""
    as_json: bool
    """For a machine."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of the events that have it."""
        return (*(("logged",) if self.log else ()), *(("model_asked",) if self.messages else ()))


def print_trace(asked: Asked, *, follow: bool) -> int:
    """Print what is on record, and with `follow` what comes, until the agent or the run has ended."""
    outputs = OutputStore(read_settings().outputs_url)
    if follow:
        printer = _printer(asked, outputs)
        query(partial(_follow, asked=asked, printer=printer))
        return _end(printer.lost)
    if asked.agent is None:
        return _whole_run(asked, outputs)
    return _one_agent(asked, asked.agent, outputs)


def _printer(asked: Asked, outputs: OutputStore) -> Printer:
    return JsonPrinter(outputs) if asked.as_json else TextPrinter(out(), outputs, named=asked.agent is None)


def _end(lost: Sequence[str]) -> int:
    """Return the exit code; `JournalError` when something could not be read any more."""
    if lost:
        raise JournalError("; ".join(lost))
    return 0


# As it happens -------------------------------------------------------------------------------------------------------


async def _follow(journal: Journal, asked: Asked, printer: Printer) -> None:
    run_id = (await journal.run(asked.run)).run_id
    idle = Idle(partial(journal.is_held, run_id), partial(_say_idle, run_id))
    task = None if asked.agent is None else await _find_task(journal, run_id, asked.agent, idle)
    watched = Watched(task)
    kinds = (*asked.kinds, "run_ended") if asked.as_json and task is None else asked.kinds
    async for events in read_events(journal, run_id, watched, kinds, task=task, idle=idle):
        printer.show(events)
    err().print(f"{task or run_id}: {watched.outcome}", style="dim")


def _say_idle(run_id: str) -> None:
    resumed = f"it goes on here when it is resumed (echelon resume {run_id})"
    err().print(f"no process works on run {run_id}: {resumed}; Ctrl-C ends this", style="dim")


async def _find_task(journal: Journal, run_id: str, agent: str, idle: Idle) -> str:
    """Return the task that is meant; of a run whose plan is not whole yet it is waited for one of that name."""
    watched = Watched()
    try:
        return await _task_now(journal, run_id, agent)
    except InvalidInput as unknown:
        record = await journal.run(run_id)
        if record.finished is not None or record.plan is None or not record.plan.open:
            raise
        phases = ", ".join(one.phase for one in record.plan.open)
        err().print(f"{unknown}; it is waited for: {phases} is not planned yet", style="dim")
        async for events in read_events(journal, run_id, watched, ("plan_extended",), task=None, idle=idle):
            if any(isinstance(event, PlanExtended) and _has(event, agent) for event in events):
                break
        return await _task_now(journal, run_id, agent)


def _has(event: PlanExtended, agent: str) -> bool:
    return any(task.id == agent or task.id.endswith(f"/{agent}") for task in event.plan.tasks)


async def _task_now(journal: Journal, run_id: str, agent: str) -> str:
    return task_of(agent, await journal.run(run_id), await journal.steps(run_id))


# As it is on record --------------------------------------------------------------------------------------------------


def _whole_run(asked: Asked, outputs: OutputStore) -> int:
    if not asked.as_json:
        printer = TextPrinter(out(), outputs, named=True)
        query(partial(_show_all, asked=asked, printer=printer))
        return _end(printer.lost)
    record, lines, said = query(partial(_collect, asked=asked, outputs=outputs))
    print_json({"run_id": record.run_id, "agent": None, **_documents(asked, lines, said)})
    return _end([one.lost for one in said if one.lost])


async def _show_all(journal: Journal, asked: Asked, printer: Printer) -> None:
    run_id = (await journal.run(asked.run)).run_id
    async for events in read_events(journal, run_id, Watched(), asked.kinds, task=None, idle=None):
        printer.show(events)


async def _collect(
    journal: Journal, asked: Asked, outputs: OutputStore, task: str | None = None
) -> tuple[RunRecord, list[Logged], list[Said]]:
    """Return the run, what was logged and what was said, of one task or of all."""
    record = await journal.run(asked.run)
    entries = await journal.events(record.run_id, kinds=asked.kinds, subject=task)
    lines = [entry.event for entry in entries if isinstance(entry.event, Logged)]
    asks = [entry.event for entry in entries if isinstance(entry.event, ModelAsked)]
    return record, lines, [read_said(one.conversation, outputs) for one in asks]


def _one_agent(asked: Asked, agent: str, outputs: OutputStore) -> int:
    view = query(lambda journal: view_run(journal, outputs, asked.run))
    task = task_of(agent, view.record, view.steps)
    record, lines, said = query(partial(_collect, asked=asked, outputs=outputs, task=task))
    none = why_none(task, view) if asked.messages and not said else ""
    if asked.as_json:
        documents = _documents(asked, lines, said) | ({"why_none": none} if asked.messages else {})
        print_json({"run_id": record.run_id, "agent": task, **documents})
    else:
        show_trace(out(), task, lines, said)
        for missing in _missing(asked, lines, none):
            out().print(missing if missing == none else f"{task}: {missing}")
    return _end([one.lost for one in said if one.lost])


def _missing(asked: Asked, lines: Sequence[Logged], none: str) -> list[str]:
    """Say what there is nothing of; that an agent has no model goes without saying where its log is shown too."""
    nothing = ["nothing was logged or printed"] if asked.log and not lines else []
    return nothing + ([none] if none and not (asked.log and lines) else [])


def _documents(asked: Asked, lines: Sequence[Logged], said: Sequence[Said]) -> JsonObject:
    log = {"log": [line_document(line) for line in lines]} if asked.log else {}
    return log | ({"conversations": [one.document for one in said]} if asked.messages else {})
