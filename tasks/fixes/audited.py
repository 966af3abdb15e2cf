"""The tree as the audit looked at it, and copies of it with fixes, which the same tools look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from contracts.fixes import FileFix
from contracts.modules import Module
from contracts.scans import ModuleScan
from contracts.surveys import (
    AnySurvey,
    DeadCodeSurvey,
    DuplicationSurvey,
    HistorySurvey,
    ImportSurvey,
    InventorySurvey,
    LintSurvey,
)
from echelon import AgentFailed, Handoffs
from tasks.dead_code import unused_in
from tasks.discovery import discover
from tasks.duplicates import find_copies
from tasks.fixes.comparing import FindingCounts, Sifted, TreeSurveys, counts_of, sift
from tasks.importing import follow_imports
from tasks.linting import lint_copy
from tasks.lookup import absent, survey_of, tool_of
from tasks.scanning.usage import usage_of
from tasks.sources import CleanCopy, clean_copy, decode, read_as_listed


@dataclass(frozen=True, kw_only=True)
class AuditedTree:
    """A tree with what the audit knows of it."""

    path: Path
    """The folder."""
    exclude: Sequence[str]
    """What is left out of it."""
    max_bytes: int
    """The largest file that is read."""
    survey: Handoffs[AnySurvey]
    """What the tools found."""
    workspace: Path
    """Where copies may be made; nothing of them is left."""
    scans: dict[str, ModuleScan] = field(default_factory=dict[str, ModuleScan])
    """What each module defines and uses as it is, as far as that was looked at: once is enough."""

    def sift(self, fixes: tuple[FileFix, ...]) -> Sifted:
        """Say which fixes may stand; `AgentFailed` where nobody can tell."""
        lacking = [name for name in absent(self.survey) if name != tool_of(HistorySurvey)]
        if lacking:
            raise AgentFailed(f"nobody can say whether anything gets worse: no {lacking[0]} survey; audit again")
        originals = {one.path: self._original(one.path) for one in fixes}
        found = TreeSurveys(
            lint=survey_of(self.survey, LintSurvey),
            dead_code=survey_of(self.survey, DeadCodeSurvey),
            duplication=survey_of(self.survey, DuplicationSurvey),
            imports=survey_of(self.survey, ImportSurvey),
        )
        return sift(fixes, counts_of(found, originals), lambda some: self._count_with(some, originals))

    def _original(self, name: str) -> str:
        file = survey_of(self.survey, InventorySurvey).modules[name]
        return decode(read_as_listed(self.path, Module(path=name, package=""), self.max_bytes, file.sha256))

    def _count_with(self, fixes: Sequence[FileFix], originals: Mapping[str, str]) -> FindingCounts:
        texts = {one.path: decode(one.text.encode()) for one in fixes}
        modules = discover(self.path, self.exclude)
        unread = survey_of(self.survey, LintSurvey).unread
        with clean_copy(self.path, modules, self.max_bytes, self.workspace / "tree", unread) as copy:
            for name, module in copy.modules.items():
                if module.path in texts:
                    (copy.root / name).write_text(texts[module.path], "utf-8", newline="\n")
            return counts_of(self._look_at(copy, texts), {**originals, **texts})

    def _look_at(self, copy: CleanCopy, texts: Mapping[str, str]) -> TreeSurveys:
        scans: dict[str, ModuleScan] = {}
        for name, module in copy.modules.items():
            if module.path in texts:
                scans[module.path] = usage_of(texts[module.path], name)
                continue
            if module.path not in self.scans:
                self.scans[module.path] = usage_of((copy.root / name).read_text("utf-8"), name)
            scans[module.path] = self.scans[module.path]
        return TreeSurveys(
            lint=lint_copy(copy),
            dead_code=DeadCodeSurvey(modules=unused_in(scans)),
            duplication=find_copies(copy)[0],
            imports=follow_imports(copy),
        )
