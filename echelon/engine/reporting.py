"""The report of a run: made by the job's own function or by ours, written into one folder, shown in Prefect."""

import logging
from pathlib import Path, PurePosixPath

from echelon.conventions.brief import PAGE
from echelon.conventions.page import conventions
from echelon.definition.definition import JobDefinition
from echelon.journal.private import private_folder, write_private
from echelon.model.errors import InvalidJob
from echelon.model.plan import Plan
from echelon.model.run import RunView
from echelon.redaction import redact
from echelon.visibility.report import default_report

log = logging.getLogger("echelon.engine")


def write_conventions(plan: Plan, folder: Path) -> None:
    """Write what the agents of a run keep to into the run's folder, where their briefs say that it is."""
    write_private(private_folder(folder) / PAGE, conventions(plan).encode())


def write_report(job: JobDefinition, view: RunView, folder: Path) -> dict[str, str | bytes]:
    """Write the files of the report into `folder` and return them.

    A report function that fails costs its report, not the run: the default report is written instead.
    """
    files: dict[str, str | bytes] = {}
    if job.render is not None:
        try:
            files = dict(job.render(view))
        except Exception:
            log.exception("the report of job %r failed; the default report is written instead", job.name)
    files = files or dict(default_report(view))
    private_folder(folder)
    for name, content in files.items():
        path = _inside(folder, name)
        private_folder(path.parent)
        shown = content if isinstance(content, bytes) else redact(content).encode(errors="backslashreplace")
        write_private(path, shown)
    return files


def _inside(folder: Path, name: str) -> Path:
    relative = PurePosixPath(name)
    if relative.is_absolute() or ".." in relative.parts:
        raise InvalidJob(f"report file {name!r} would lie outside of the report's folder")
    return folder / relative
