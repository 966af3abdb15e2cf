"""Mend: what a linter finds in a project, one fixer for each file, until the linter finds nothing, as one patch.

    echelon run flows/mend.py:mend --param path=src --out mended
    git apply mended/mend.patch

Nothing in the project is changed: fixers work on copies, and what passes is one patch. Ruff mends what it can by
itself; `--param fixer='["claude", "-p"]'` lets a coding agent do it, which is told what was found.
"""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, DirectoryPath

from echelon import Job, Repeat, Resilience
from tasks.mending.fixing import fix, passes
from tasks.mending.linter import flawed, lint
from tasks.mending.patching import patch, render


class MendInputs(BaseModel):
    """What to mend, and by what."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    path: Annotated[DirectoryPath, AfterValidator(Path.resolve)]
    """Folder with the project."""
    fixer: tuple[str, ...] = ()
    """Command that mends a copy of one file in the folder it runs in; `{file}` is its name. None: ruff does it."""
    fixer_env: tuple[str, ...] = ()
    """Names of variables that it gets beside the usual ones, such as the key of its provider."""


mend = Job(
    "mend",
    goal="Mend what the linter finds, without changing what the code does",
    inputs=MendInputs,
    defaults=Resilience(attempts=2),
    constraints=("Fixers work on copies; the project itself is never changed.",),
    report=render,
)
mend.phase("lint", agent=lint)
mend.phase(
    "fix",
    each=fix,
    over=flawed,
    items=(0, 10_000),
    domain=lambda file: file.area,
    needs="lint",
    repeat=Repeat(until=passes, rounds=3),
)
mend.phase("patch", agent=patch, needs={"lint": None, "fix": "loose"})
