"""Which folders a person trusts: files in others may not say which Prefect server runs go to.

A run reports what it does, with its inputs and logs. Whoever can put a `.env` beside a job would choose who gets that.
"""

import json
from pathlib import Path

from echelon.journal.private import private_folder, write_private
from echelon.model.edges import is_listing

_FILE = "trusted-folders.json"


def is_trusted(home: Path, folder: Path) -> bool:
    """Say whether a person has said that the files in a folder may choose the server."""
    return str(folder.resolve()) in _read(home)


def trust(home: Path, folder: Path) -> None:
    """Remember that the files in a folder may choose the server."""
    known = _read(home)
    if (name := str(folder.resolve())) not in known:
        write_private(private_folder(home) / _FILE, json.dumps(sorted({*known, name}), indent=2).encode())


def _read(home: Path) -> list[str]:
    try:
        known: object = json.loads((home / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [one for one in known if isinstance(one, str)] if is_listing(known) else []
