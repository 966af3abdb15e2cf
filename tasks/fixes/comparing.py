"""What the tools found before and after, counted by file and rule; and which fixes may stand. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from contracts.fixes import FileFix
from contracts.modules import Module
from contracts.surveys import DeadCodeSurvey, DuplicationSurvey, ImportSurvey, LintSurvey
from echelon.model.phrasing import listed
from tasks.evidence import ModuleFacts
from tasks.findings import findings_of
from tasks.measuring import measure

FindingCounts: TypeAlias = Counter[tuple[str, str]]
"""(file, rule) → findings."""

#: Findings that a reason names; the others are counted.
_NAMED = 3


class TreeSurveys(NamedTuple):
    """What the tools said of a tree."""

    lint: LintSurvey
    dead_code: DeadCodeSurvey
    duplication: DuplicationSurvey
    imports: ImportSurvey


def counts_of(said: TreeSurveys, sources: Mapping[str, str]) -> FindingCounts:
    """Count what the tools found in all modules, and what is measured in those of `sources`."""
    found: FindingCounts = Counter()
    for path, hits in said.lint.modules.items():
        found.update((path, hit.rule) for hit in hits)
    for path, items in said.dead_code.modules.items():
        found[path, "dead-code"] += len(items)
    for path, clones in said.duplication.modules.items():
        found[path, "duplication"] += len(clones)
    found.update((path, "import-cycle") for cycle in said.imports.cycles for path in cycle)
    for path, source in sources.items():
        facts = ModuleFacts(module=Module(path=path, package=""), metrics=measure(source))
        found.update((path, one.rule) for one in findings_of(facts, source))
    return found


def worse(before: FindingCounts, after: FindingCounts) -> list[str]:
    """Say of which findings there are more than before, in order."""
    more = ((path, rule, now) for (path, rule), now in sorted(after.items()) if now > before[path, rule])
    return [f"{path}: {rule} {before[path, rule]} → {now}" for path, rule, now in more]


def fewer(before: FindingCounts, after: FindingCounts) -> dict[str, int]:
    """Return how many findings are gone, by file."""
    gone: Counter[str] = Counter()
    for (path, rule), then in sorted(before.items()):
        gone[path] += max(0, then - after[path, rule])
    return dict(+gone)


@dataclass(frozen=True, kw_only=True)
class Sifted:
    """Which fixes may stand."""

    kept: tuple[FileFix, ...] = ()
    """Those with which nothing gets worse."""
    gone: Mapping[str, int] = field(default_factory=dict[str, int])
    """File → findings that are gone with them."""
    refused: Mapping[str, str] = field(default_factory=dict[str, str])
    """The other files, each with why."""

    def refusing_all(self, reason: str) -> "Sifted":
        """Return it with nothing kept, for a reason that is about all of them together."""
        return Sifted(refused={**self.refused, **{one.path: reason for one in self.kept}})


def sift(
    fixes: tuple[FileFix, ...], before: FindingCounts, count: Callable[[Sequence[FileFix]], FindingCounts]
) -> Sifted:
    """Keep the fixes with which there are no more findings of any rule in any file; `count` counts with some of them.

    Where all together make something worse, each is tried alone, and those that do not are tried together again.
    """
    after = count(fixes)
    said = worse(before, after)
    if not said:
        return Sifted(kept=fixes, gone=fewer(before, after))
    refused = {one.path: _reason(alone) for one in fixes if (alone := worse(before, count([one])))}
    kept = tuple(one for one in fixes if one.path not in refused)
    if kept and refused:
        after = count(kept)
        said = worse(before, after)
        if not said:
            return Sifted(kept=kept, gone=fewer(before, after), refused=refused)
    return Sifted(refused=refused | _together(kept, said))


def _together(fixes: Iterable[FileFix], said: Sequence[str]) -> dict[str, str]:
    return {one.path: f"together with other fixes, {_reason(said)}" for one in fixes}


def _reason(said: Sequence[str]) -> str:
    return f"more is found: {listed(said, _NAMED)}"
