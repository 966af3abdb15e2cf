"""What sync points found, as rows of facts (X3, X4)."""

from echelon.model.sync.seen import SyncSeen
from echelon.visibility.synchronising import drift_lines, stopped_lines, wave_lines


def sync_facts(seen: SyncSeen, *, whole: bool = False) -> list[tuple[str, str]]:
    """Return what is to be said of drift, waves and early stops; rows without text are not printed.

    That nothing has drifted is said only where the `whole` is asked for.
    """
    drifted = whole or any(share.found for one in seen.drift for share in one.kinds.values())
    rows = (
        ("drift", drift_lines(seen) if drifted else []),
        ("waves", wave_lines(seen)),
        ("stopped early", stopped_lines(seen)),
    )
    return [(name, "\n".join(lines)) for name, lines in rows]
