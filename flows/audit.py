"""The audit: what is risky in a code base, and what to do first.

    echelon run flows/audit.py:audit --param path=src

One agent inspects each module; packages are domains. Tools look at the whole tree first, so that every inspection
knows what they found; at the end everything is ranked, and compared with the run before.
"""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, DirectoryPath, Field

from echelon import Job, Resilience
from tasks.areas import merge
from tasks.dead_code import dead_code
from tasks.discovery import DEFAULT_EXCLUDE, discover
from tasks.duplicates import duplication
from tasks.importing import imports
from tasks.inspecting import inspect_module
from tasks.linting import lint
from tasks.ranking import rank_hotspots
from tasks.rendering import render
from tasks.versioning import history


class AuditInputs(BaseModel):
    """What to audit."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    path: Annotated[DirectoryPath, AfterValidator(Path.resolve)]
    """Folder with the Python code to audit."""
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    """Names or paths of folders to leave out; `*` and `?` stand for any characters."""
    max_bytes: int = Field(default=1_000_000, gt=0)
    """The largest file to inspect, in bytes; larger ones are reported as missing."""


audit = Job(
    "audit",
    goal="Find what is risky in this codebase and rank it",
    inputs=AuditInputs,
    defaults=Resilience(attempts=2),
    constraints=("The code under audit is read, never run and never changed.",),
    report=render,
)
audit.phase("survey", agents=[lint, dead_code, duplication, imports, history], seconds=3)
audit.phase(
    "inspect",
    each=inspect_module,
    over=discover,
    key=lambda module: module.path,
    domain=lambda module: module.package,
    needs="survey",
    integrate=merge,
    seconds=0.05,
)
audit.phase("rank", agent=rank_hotspots, needs=("survey", "inspect"), seconds=1)
