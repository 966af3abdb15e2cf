"""The audit: what is risky in a code base, and what to do first.

    echelon run flows/audit.py:audit --param path=src

One agent inspects each module; packages are domains. Tools look at the whole tree first, and every inspection is given
its own share of what they found; at the end everything is ranked, and compared with the run before.

    echelon run flows/audit.py:audit --param path=src --changed-since origin/main

inspects only what changed, and what depends on it.

    echelon run flows/audit.py:audit --param path=src --param fix=true --param check='python -m pytest -q'

mends in the hotspots what the linter can mend safely, on a copy, looks at that with the same tools, and waits until a
person has seen the difference: nothing in the audited folder is changed before.
"""

import shlex
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    DirectoryPath,
    Field,
    ValidationInfo,
    field_validator,
)

from echelon import Job, Resilience, Unchanged
from tasks.areas import merge
from tasks.baseline.since import check_ref
from tasks.baseline.tree_state import tree_state
from tasks.dead_code import dead_code
from tasks.discovery import DEFAULT_EXCLUDE
from tasks.duplicates import duplication
from tasks.fixes.applying import apply_fixes
from tasks.fixes.proposing import fix_hotspots
from tasks.fixes.rechecking import recheck_fixes
from tasks.fixes.wanted import anything_to_apply, name_of, trees_to_mend
from tasks.importing import imports
from tasks.inspecting import inspect_module
from tasks.inventory import inventory
from tasks.linting import lint
from tasks.ranking import rank_hotspots
from tasks.rendering import render
from tasks.scanning.batches import batches, scan_state
from tasks.scanning.scanning import scan_batch
from tasks.shares import expected, inspections
from tasks.versioning import history


def _words(command: object) -> object:
    """Return the words of a command that was given as one text; no shell reads it."""
    return tuple(shlex.split(command)) if isinstance(command, str) else command


class AuditInputs(BaseModel):
    """What to audit."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    path: Annotated[DirectoryPath, AfterValidator(Path.resolve)]
    """Folder with the Python code to audit."""
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    """Names or paths of folders to leave out; `*` and `?` stand for any characters."""
    max_bytes: int = Field(default=1_000_000, gt=0)
    """The largest file to inspect, in bytes; larger ones are reported as missing."""
    changed_since: str | None = None
    """Inspect only what changed since this commit, and what depends on it; what git calls it, as origin/main."""
    fix: bool = False
    """Mend in the hotspots what the linter can mend safely, once a person has approved the difference."""
    check: Annotated[tuple[str, ...], BeforeValidator(_words)] = ()
    """Command that must succeed in a copy with the fixes, such as the tests, which runs the code; none: tools only."""

    @field_validator("changed_since")
    @classmethod
    def _known(cls, ref: str | None, info: ValidationInfo) -> str | None:
        return ref if ref is None or "path" not in info.data else check_ref(info.data["path"], ref)


audit = Job(
    "audit",
    goal="Find what is risky in this codebase and rank it",
    inputs=AuditInputs,
    defaults=Resilience(attempts=2),
    constraints=(
        "The code under audit is read and not run, except by a command given as `check`, on a copy.",
        "It is changed by nobody but `apply`, after a person approved the difference.",
    ),
    report=render,
    series=("path",),  # an audit of a part is compared with the last audit of the whole, and the other way round
)
audit.phase(
    "scan",
    each=scan_batch,
    over=batches,
    key=lambda batch: batch.key,
    seconds=0.1,
    reuse=Unchanged(by=scan_state, inputs=("path", "max_bytes")),
)
audit.phase(
    "survey",
    agents=[inventory, lint, dead_code, duplication, imports, history],
    needs="scan",
    seconds=3,
    reuse=Unchanged(by=tree_state, inputs=("path", "exclude", "max_bytes", "changed_since")),
)
audit.phase(
    "inspect",
    each=inspect_module,
    over=inspections,
    items=(0, 100_000),
    foresee=expected,
    key=lambda inspection: inspection.module.path,
    domain=lambda inspection: inspection.module.package,
    needs="survey",
    integrate=merge,
    seconds=0.05,
    reuse=Unchanged(by=lambda inspection: inspection.digest, inputs=("path",)),
)
audit.phase(
    "fix",
    each=fix_hotspots,
    over=trees_to_mend,
    key=name_of,
    items=(0, 1),
    needs=("survey", "inspect"),
    seconds=1,
)
audit.phase(
    "recheck",
    each=recheck_fixes,
    over=trees_to_mend,
    key=name_of,
    items=(0, 1),
    needs=("fix", "survey"),
    seconds=3,
)
audit.phase(
    "apply",
    each=apply_fixes,
    over=trees_to_mend,
    key=name_of,
    items=(0, 1),
    needs="recheck",
    when=anything_to_apply,
)
audit.phase(
    "rank",
    agent=rank_hotspots,
    needs={"survey": None, "inspect": None, "fix": "loose", "recheck": "loose"},
    seconds=1,
)
