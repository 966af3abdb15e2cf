"""The history survey: what git says about how often, and by how many people, modules are changed."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from contracts.surveys import FileChanges, HistorySurvey
from echelon import AgentFailed, Outcome, agent
from tasks.discovery import discover
from tasks.git_calls import run_git
from tasks.tools import TOOL_TIMEOUT_SECONDS

#: How far back to look, from the commit that is checked out: whichever comes first. Today's date does not count, so
#: that the same commit has the same history tomorrow.
MAX_COMMITS = 2_000
MAX_AGE_SECONDS = 2 * 365 * 86_400
#: A commit that touches more modules than this says nothing about which belong together.
_MAX_TOGETHER = 30
#: Two modules belong together when they were changed together so often, and in so large a share of the changes.
_MIN_SHARED = 4
_MIN_SHARE = 0.5
_DAY = 86_400  # seconds

_LOG = (
    *("--relative", "--numstat", "-z", "-M", "--no-merges"),
    *(f"--max-count={MAX_COMMITS}", "--format=%x01%ae%x09%ct"),
)


@dataclass
class Commit:
    """A commit, as far as it matters here."""

    author: str
    """Who."""
    at: int
    """When, in seconds since 1970."""
    lines: dict[str, int] = field(default_factory=dict[str, int])
    """Module → lines added and removed."""


@agent(timeout=TOOL_TIMEOUT_SECONDS + 60)
def history(path: Path, exclude: Sequence[str]) -> Outcome[HistorySurvey]:
    """Find how often and by how many people each module is changed."""
    try:
        shallow = run_git("rev-parse", "--is-shallow-repository", cwd=path, timeout=30).stdout.strip()
        log = run_git("log", *_LOG, f"--since={_oldest(path)}", "--", ".", cwd=path).stdout
    except AgentFailed as failure:
        return _none(f"no git history: {_reason(str(failure))}")
    commits = list(follow_renames(parse_log(log)))
    if not commits:
        return _none("no git history: no commit of the last two years touches this folder")
    survey = survey_of(commits, {module.path for module in discover(path, exclude)})
    note = "the clone is shallow, older commits are not known" if shallow == "true" else ""
    return Outcome(
        output=survey.model_copy(update={"note": note}),
        summary=f"{len(commits)} commits touched {len(survey.modules)} of today's modules"
        + (f"; {note}" if note else ""),
    )


def _oldest(path: Path) -> str:
    """Return the time from which on commits count, as git reads it."""
    newest = int(run_git("log", "--max-count=1", "--format=%ct", cwd=path, timeout=60).stdout)
    return f"@{max(0, newest - MAX_AGE_SECONDS)} +0000"


def _reason(said: str) -> str:
    reason = said.rpartition("fatal: ")[2]
    lacking = reason.startswith("unable to read")
    return f"the clone lacks objects, and an audit fetches none: {reason}" if lacking else reason


def _none(note: str) -> Outcome[HistorySurvey]:
    return Outcome(output=HistorySurvey(note=note), summary=note)


def parse_log(log: str) -> Iterator[Commit]:
    """Read what git log printed, the newest commit first; a rename is noted as old name → new name in `lines`.

    With -z a change is "added TAB deleted TAB path NUL"; for a rename the path is empty, and the old and the new
    one follow, each with a NUL.
    """
    for entry in log.split("\x01")[1:]:
        fields = entry.split("\0")
        author, _, at = fields[0].strip().partition("\t")
        commit = Commit(author, int(at.split()[0]))
        rest = iter(fields[1:])
        for item in rest:
            counts = item.strip("\n").split("\t", 2)
            if len(counts) == 3:
                added, deleted, name = counts
                key = name or f"{next(rest)}\0{next(rest)}"
                commit.lines[key] = sum(int(number) for number in (added, deleted) if number.isdigit())
        yield commit


def follow_renames(commits: Iterable[Commit]) -> Iterator[Commit]:
    """Give every change the name that the module has today; commits come the newest first."""
    today: dict[str, str] = {}
    for commit in commits:
        lines: dict[str, int] = {}
        for key, count in commit.lines.items():
            old, _, new = key.rpartition("\0")
            name = today.get(new, new)
            if old:
                today[old] = name
            lines[name] = count
        yield Commit(commit.author, commit.at, lines)


def survey_of(commits: Sequence[Commit], modules: set[str]) -> HistorySurvey:
    """Count for every module of today how it was changed, and with which others."""
    touched: dict[str, list[Commit]] = defaultdict(list)
    pairs: Counter[tuple[str, str]] = Counter()
    for commit in commits:
        names = sorted(modules & commit.lines.keys())
        for name in names:
            touched[name].append(commit)
        if len(names) <= _MAX_TOGETHER:
            pairs.update(combinations(names, 2))
    together = _together(pairs, {name: len(found) for name, found in touched.items()})
    newest = max(commit.at for commit in commits)
    changes = {name: _changes(name, found, newest, together[name]) for name, found in touched.items()}
    return HistorySurvey(modules=changes, commits=len(commits))


def _changes(name: str, commits: Sequence[Commit], newest: int, together: Sequence[str]) -> FileChanges:
    times = [commit.at for commit in commits]
    return FileChanges(
        commits=len(commits),
        lines=sum(commit.lines[name] for commit in commits),
        authors=len({commit.author for commit in commits}),
        days_old=max(0, newest - min(times)) // _DAY,
        days_quiet=max(0, newest - max(times)) // _DAY,
        together_with=tuple(together[:3]),
    )


def _together(pairs: Counter[tuple[str, str]], commits: dict[str, int]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for (one, other), shared in pairs.most_common():
        if shared < _MIN_SHARED:
            break
        for name, partner in ((one, other), (other, one)):
            if shared / commits[name] > _MIN_SHARE:
                found[name].append(partner)
    return found
