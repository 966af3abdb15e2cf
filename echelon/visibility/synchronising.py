"""How people read what sync points found: drift, waves, and what they made needless (X3, X4, X14)."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from echelon.model.phrasing import count, head, listed, percent
from echelon.model.sync.seen import Drift, SyncSeen, Wave

#: Phases and findings told at most.
PHASES_SHOWN, FINDINGS_SHOWN = 8, 3


def drift_lines(seen: SyncSeen) -> list[str]:
    """Say of each phase what has drifted; where nothing has, one line says so, and what nobody looked at."""
    found = [f"{one.phase}: {_drifted(one)}" for one in seen.drift if _drifted(one)]
    none = [one for one in seen.drift if not _drifted(one)]
    if none:
        kinds = [kind for kind in none[0].kinds if all(one.kinds[kind].share is None for one in none)]
        unknown = f"; {listed(kinds, len(kinds))} not known" if kinds else ""
        found.append(f"none in {count(len(none), 'phase')}{unknown}")
    return head(found, PHASES_SHOWN)


def wave_lines(seen: SyncSeen) -> list[str]:
    """Say of each phase, or domain of it, in how many waves it was done, how large they were, and what they found."""
    lines = list(_waves(seen.waves))
    if seen.rituals > (sum(wave.ended_by != "last" for wave in seen.waves)) / 2:
        lines.append(f"{count(seen.rituals, 'light sync point')} changed nothing: synchronise less often (X14)")
    return head(lines, PHASES_SHOWN)


def stopped_lines(seen: SyncSeen) -> list[str]:
    """Say what was not begun since what was there is enough: each reason with the number of tasks."""
    reasons = dict.fromkeys(seen.stopped.values())
    return [f"{count(sum(one == why for one in seen.stopped.values()), 'task')} not begun: {why}" for why in reasons]


def _waves(waves: Sequence[Wave]) -> Iterator[str]:
    ordered = sorted(waves, key=lambda wave: (wave.phase, wave.domain))
    for (phase, domain), group in groupby(ordered, key=lambda wave: (wave.phase, wave.domain)):
        several = list(group)
        sizes = [len(wave.tasks) for wave in several]
        where = f"{phase}, domain {domain}" if domain else phase
        said = f"{where}: {count(len(several), 'wave')} of {_span(sizes)}"
        found = dict.fromkeys(finding for wave in several for finding in wave.findings)
        yield f"{said}; {'; '.join(head(list(found), FINDINGS_SHOWN))}" if found else said


def _span(sizes: Sequence[int]) -> str:
    low, high = min(sizes), max(sizes)
    return count(high, "task") if low == high else f"{low} to {count(high, 'task')}"


def _drifted(drift: Drift) -> str:
    said = (
        f"{kind} {percent(one.share)} ({one.found:,} of {one.of:,})" for kind, one in drift.kinds.items() if one.found
    )
    named = drift.outdated_said(FINDINGS_SHOWN)
    older = f"; for an older assignment: {named}" if named else ""
    return f"{', '.join(said)}{older}"
