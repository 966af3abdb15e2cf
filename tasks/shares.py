"""What is inspected: every module with its own share of the surveys, so that one changed file is not everybody's news.

An inspection that was given the surveys as a whole would depend on every file of the tree. Its share is all that it
reads of others, and the digest of that is all that it depends on.
"""

import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from contracts.inspections import Inspection
from contracts.modules import Module
from contracts.surveys import (
    AnySurvey,
    DeadCodeSurvey,
    DuplicationSurvey,
    File,
    ImportSurvey,
    InventorySurvey,
    LintSurvey,
)
from echelon import AgentFailed, Handoffs
from echelon.journal.digest import digest_of
from tasks.inventory import inventory
from tasks.lookup import absent, survey_of, task_of, tool_of

#: What measures a module beside its share; another version may measure something else.
_MEASURED_WITH = (f"python {sys.version_info.major}.{sys.version_info.minor}", f"radon {version('radon')}")


class _Surveys(NamedTuple):
    lint: LintSurvey
    dead_code: DeadCodeSurvey
    duplication: DuplicationSurvey
    imports: ImportSurvey
    absent: tuple[str, ...]


def inspections(survey: Handoffs[AnySurvey]) -> list[Inspection]:
    """Return what is to be inspected: all modules, or those that changed and those that depend on one that did."""
    lacking = absent(survey)
    if tool_of(InventorySurvey) in lacking:
        reason = next(
            (one.reason for one in survey.missing if one.task_id == task_of(InventorySurvey)), "it is missing"
        )
        raise AgentFailed(f"without its inventory nobody knows which modules the tree has: {reason}")
    said = _Surveys(
        lint=survey_of(survey, LintSurvey),
        dead_code=survey_of(survey, DeadCodeSurvey),
        duplication=survey_of(survey, DuplicationSurvey),
        imports=survey_of(survey, ImportSurvey),
        absent=lacking,
    )
    files = survey_of(survey, InventorySurvey).modules
    changed = {path for path, file in files.items() if file.changed}
    used = _used_by(changed, said.imports)
    found = (_inspection(path, file, said) for path, file in files.items())
    return [one for one in found if one.module.path in changed or one.module.path in used or one.named & changed]


def expected(path: Path, exclude: Sequence[str], max_bytes: int, changed_since: str | None) -> list[Inspection]:
    """Return what there is to inspect before the surveys are there: without what depends on a module that changed."""
    listed = inventory(path=path, exclude=exclude, max_bytes=max_bytes, changed_since=changed_since).output.modules
    changed = {name: file for name, file in listed.items() if file.changed}
    return [
        Inspection(module=Module(path=name, package=file.package), sha256=file.sha256) for name, file in changed.items()
    ]


def _used_by(changed: Iterable[str], imports: ImportSurvey) -> set[str]:
    """Return what changed modules import: what in it is used may be another than before."""
    return {used for path in changed if path in imports.modules for used in imports.modules[path].uses}


def _inspection(path: str, file: File, said: _Surveys) -> Inspection:
    """Return one module with its share of what the surveys said."""
    share = Inspection(
        module=Module(path=path, package=file.package),
        sha256=file.sha256,
        hits=said.lint.modules.get(path, ()),
        dead=said.dead_code.modules.get(path, ()),
        clones=said.duplication.modules.get(path, ()),
        cycle=_cycle(said.imports, path),
        absent=said.absent,
    )
    return share.model_copy(update={"digest": digest_of((share, _MEASURED_WITH))})


def _cycle(imports: ImportSurvey, path: str) -> tuple[str, ...]:
    links = imports.modules.get(path)
    return imports.cycles[links.cycle] if links is not None and links.cycle is not None else ()
