"""`echelon init`: start a new project in a folder."""

import re
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from echelon.cli.arguments.options import AsJson
from echelon.cli.starter import FIRST_COMMANDS, Template, starter_files
from echelon.cli.views.output import out, print_json
from echelon.model.errors import InvalidInput
from echelon.model.phrasing import count, head

#: Files that were kept and are named, at most.
KEPT_SHOWN = 10


def init(
    folder: Annotated[Path, Parameter(name="dir", help="Folder of the new project; made when it is not there.")],
    /,
    *,
    force: Annotated[
        bool, Parameter(help="Add what is missing to a folder that has files; none of them is changed.")
    ] = False,
    template: Annotated[
        Template,
        Parameter(
            help="small: a little job, one with a model, and tests; audit: an audit of Python code; research: an "
            "answer from a folder of documents; mend: a patch for what a linter finds."
        ),
    ] = "small",
    as_json: AsJson = False,
) -> int:
    """Start a new project with a job that runs at once, and tests that pass."""
    _check(folder, force=force)
    created, kept = _write(folder, template)
    if as_json:
        print_json({"folder": str(folder.absolute()), "created": created, "kept": kept, "template": template})
        return 0
    console = out()
    console.print(f"{folder}: {count(len(created), 'file')} created")
    for line in head([f"kept as it was: {path}" for path in kept], KEPT_SHOWN):
        console.print(line)
    console.print(f"next: cd {folder} && {FIRST_COMMANDS[template]}")
    return 0


def _check(folder: Path, *, force: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise InvalidInput(f"{folder} is a file; give a folder for the new project")
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise InvalidInput(
            f"{folder} is not empty; give a new folder, or --force to add what is missing (no file of yours is changed)"
        )


def _write(folder: Path, template: Template) -> tuple[list[str], list[str]]:
    """Write the files that are not there; return those written and those left as they were."""
    created: list[str] = []
    kept: list[str] = []
    for path, content in starter_files(_project_name(folder), template):
        target = folder / path
        if target.exists():
            kept.append(path)
            continue
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        except OSError as error:
            raise InvalidInput(f"{target} cannot be written: {error.strerror}; give another folder") from error
        created.append(path)
    return created, kept


def _project_name(folder: Path) -> str:
    return re.sub(r"[^a-z0-9]+", "-", folder.absolute().name.lower()).strip("-") or "project"
