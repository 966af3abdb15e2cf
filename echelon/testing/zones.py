"""A time zone whose day ends when a test wants it to, so that nobody waits for midnight (F10).

environment = zone_ending_at(folder, datetime.now(UTC) + timedelta(seconds=20))   # variables for a process
"""

import os
import struct
import zoneinfo
from datetime import UTC, datetime, timedelta
from pathlib import Path

DAY = timedelta(days=1)


def zone_ending_at(folder: Path, midnight: datetime, name: str = "Test/Soon") -> dict[str, str]:
    """Write a time zone in which a day ends at a moment, and return the variables that make it that of a process.

    The moment is one of whole seconds; the zone is that far from UTC, all year round.
    """
    behind = timedelta(seconds=midnight.astimezone(UTC).timestamp() % DAY.total_seconds())
    offset = -behind if behind < DAY / 2 else DAY - behind
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    counts = struct.pack(">6l", 0, 0, 0, 0, 1, len(b"SOON\0"))
    one_type = struct.pack(">lBB", int(offset.total_seconds()), 0, 0)
    file.write_bytes(b"TZif" + bytes(16) + counts + one_type + b"SOON\0")
    return {"PYTHONTZPATH": os.pathsep.join([str(folder), *zoneinfo.TZPATH]), "ECHELON_TIMEZONE": name}
