"""One patch of all fixes that pass; what does not pass is named with what is left."""

from pathlib import Path

from contracts.mending import Fix, FlawedFile, Patch
from echelon import AgentFailed, Handoffs, Outcome, RunView, agent
from echelon.model.phrasing import count, head
from echelon.visibility.report import default_report
from tasks.diffs import unified
from tasks.mending.fixing import digest_of, read_text
from tasks.mending.linter import flawed

#: Files that a reason names; the others are counted.
_NAMED = 5


@agent
def patch(lint: Handoffs[str], fix: Handoffs[Fix], path: Path) -> Outcome[Patch]:
    """Make one patch of all fixes that pass."""
    found = {file.path: file for file in flawed(lint, path)}
    failed = {one.task_id.partition("/")[2]: one.reason for one in fix.missing}
    stale: dict[str, str] = {}
    parts: dict[str, str] = {}
    for made in fix.outputs():
        try:
            parts[made.path] = _diff(made, path)
        except AgentFailed as error:
            stale[made.path] = str(error)
    changed = {name: text for name, text in sorted(parts.items()) if text}
    made = Patch(
        root=str(path),
        text="".join(changed.values()),
        files=tuple(changed),
        mended=sum(_flaws(found.get(name)) for name in changed),
        left=dict(sorted((failed | stale).items())),
    )
    said = f"{count(made.mended, 'finding')} mended in {count(len(changed), 'file')}"
    return Outcome(
        output=made,
        summary=f"{said}, {count(len(made.left), 'file')} left" if made.left else said,
        shortfall="; ".join(head(list(stale.values()), _NAMED)),
    )


def render(run: RunView) -> dict[str, str]:
    """Return the report of the run, and mend.patch."""
    if run.output is None:
        return default_report(run)
    return {**default_report(run), "mend.patch": Patch.model_validate(run.output).text}


def _diff(made: Fix, path: Path) -> str:
    text = read_text(path, made.path)
    if digest_of(text) != made.sha256:
        raise AgentFailed(f"{made.path} was changed after it was mended; run again")
    return unified(made.path, text, made.text)


def _flaws(file: FlawedFile | None) -> int:
    return len(file.flaws) if file else 0
