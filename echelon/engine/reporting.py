"""The report of a run: made by the job's own function or by ours, written into one folder, shown in Prefect."""

import logging
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from echelon.agents.transcript.transcript import Transcript
from echelon.conventions.brief import PAGE
from echelon.conventions.facts import Facts
from echelon.conventions.page import conventions
from echelon.definition.definition import JobDefinition
from echelon.journal.outputs import OutputStore
from echelon.journal.port import Journal
from echelon.journal.private import private_folder, write_private
from echelon.model.errors import EchelonError, InvalidJob
from echelon.model.run import Conversation, RunView
from echelon.redaction import redact
from echelon.visibility.report import default_report
from echelon.visibility.traces.pages import LogTails, pages_of

log = logging.getLogger("echelon.engine")

#: Events of a log in memory at one time.
EVENTS_AT_A_TIME = 1_000


def write_conventions(facts: Facts, folder: Path) -> None:
    """Write what is kept in a run, and what its agents are told, into the run's folder."""
    write_private(private_folder(folder) / PAGE, conventions(facts).encode())


def write_report(
    job: JobDefinition, view: RunView, folder: Path, budgets: Sequence[str] = ()
) -> dict[str, str | bytes]:
    """Write the files of the report into `folder` and return them; `budgets` say what is left of a day or a month.

    A report function that fails costs its report, not the run: the default report is written instead.
    """
    files: dict[str, str | bytes] = {}
    if job.render is not None:
        try:
            files = dict(job.render(view))
        except Exception:
            log.exception("the report of job %r failed; the default report is written instead", job.name)
    files = files or dict(default_report(view, budgets))
    for name, content in files.items():
        _write(folder, name, content)
    return files


async def log_tails(journal: Journal, view: RunView) -> LogTails:
    """Return the ends of the logs of a run, as much as is shown of them; so many events at a time, however long."""
    tails, seq = LogTails(), 0
    while view.log_lines:
        found = await journal.events(view.record.run_id, after=seq, kinds=("logged",), limit=EVENTS_AT_A_TIME)
        if not found:
            break
        tails.see(entry.event for entry in found)
        seq = found[-1].seq
    return tails


def write_pages(view: RunView, tails: LogTails, outputs: OutputStore, folder: Path) -> None:
    """Write a page for each agent of which there is something to read, beside the report that links to them (X8)."""

    def read(conversation: Conversation) -> Transcript | None:
        try:
            return outputs.get(conversation.transcript, Transcript) if conversation.transcript else None
        except EchelonError:  # it costs what the page shows of it; `echelon show` says what is lost
            return None

    for name, page in pages_of(view, tails.lines, read):
        _write(folder, name, page)


def _write(folder: Path, name: str, content: str | bytes) -> None:
    path = _inside(folder, name)
    private_folder(folder)
    private_folder(path.parent)
    shown = content if isinstance(content, bytes) else redact(content).encode(errors="backslashreplace")
    write_private(path, shown)


def _inside(folder: Path, name: str) -> Path:
    relative = PurePosixPath(name)
    if relative.is_absolute() or ".." in relative.parts:
        raise InvalidJob(f"report file {name!r} would lie outside of the report's folder")
    return folder / relative
