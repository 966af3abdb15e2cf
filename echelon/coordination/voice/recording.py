"""What was said is put on record once, by whoever reads it: the step, or a later process of the run (O1, F8)."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from echelon.agents.voice.file import MAX_BYTES, Speaker, read_speaker, read_voice, remove_voice
from echelon.coordination.context import RunContext
from echelon.coordination.voice.statements import Statements, id_of
from echelon.journal.failpoints import failpoint
from echelon.journal.private import write_private
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.redaction import redact
from echelon.runlog.events import Event

E = TypeVar("E", bound=Event)

#: Files of what is said, below the folder of the run; what nobody has put on record yet has this ending.
FOLDER, ENDING = "voice", ".said.jsonl"

#: What is not all on record, since it was too much, is kept under this one.
KEPT = ".kept.jsonl"


def voice_path(folder: Path, key: str) -> Path:
    """Return the file of a step, given the folder of its run."""
    return folder / FOLDER / f"{key[:40]}{ENDING}"


def unrecorded(run: RunContext, events: Iterable[E]) -> list[E]:
    """Return the events that are not on record yet; whoever asks appends them."""
    return [event for event in events if run.once.is_new(id_of(event), run.log.state)]


async def end_voice(run: RunContext, file: Path, speaker: Speaker, too_much: str) -> None:
    """Take the file of a step away, all of which is on record; where it is not, report it and keep it for people.

    The run is over a stated limit then.
    """
    if too_much:
        kept = await asyncio.to_thread(_keep, file)
        await run.log.push(_over(run, speaker, f"{speaker.task_id}: {too_much}; all of it is in {kept}"))
    failpoint("voice.recorded")
    await asyncio.to_thread(remove_voice, file)


def _over(run: RunContext, speaker: Speaker, message: str) -> ExceptionReport:
    path = (*run.spec.plan.path(speaker.owner), speaker.node)
    return ExceptionReport(trigger=Trigger.OVERRUN, level=Level.WARNING, path=path, message=message, at=run.now())


async def record_leftovers(run: RunContext) -> None:
    """Put on record what agents said that were killed with the process before this one, and could not be read by it."""
    for path, speaker in await asyncio.to_thread(_files, run.spec.folder / FOLDER):
        statements = Statements(run.raising, speaker)
        heard = await asyncio.to_thread(read_voice, path, speaker.task_id, ended=True)
        statements.unread = heard.unread
        events = unrecorded(run, statements.take(heard.said, run.now()))
        if events:
            await run.log.append(*events)
        await end_voice(run, path, speaker, statements.too_much)


def _files(folder: Path) -> list[tuple[Path, Speaker]]:
    found = ((path, read_speaker(path)) for path in sorted(folder.glob(f"*{ENDING}")))
    return [(path, speaker) for path, speaker in found if speaker is not None]


def _keep(file: Path) -> Path:
    """Write what a step said beside its file, without secrets, and return where."""
    kept = file.with_name(file.name.removesuffix(ENDING) + KEPT)
    with file.open("rb") as content:
        write_private(kept, redact(content.read(2 * MAX_BYTES).decode(errors="replace")).encode())
    return kept
