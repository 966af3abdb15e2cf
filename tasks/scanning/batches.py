"""Which modules are scanned together: a few dozen batches, so that one changed file is a small part of the tree.

A module is in the same batch as long as it has its name: files that come and go change the batches they are in only.
"""

import hashlib
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from contracts.scans import Batch
from echelon.journal.digest import digest_of
from tasks.discovery import package_prefix
from tasks.inventory import inventory

#: The most batches there are; one changed file costs so small a part of the first scan.
BATCHES = 64


def batches(path: Path, exclude: Sequence[str], max_bytes: int) -> list[Batch]:
    """Return all modules of the tree, in batches."""
    listed = inventory(path=path, exclude=exclude, max_bytes=max_bytes, changed_since=None).output.modules
    found: dict[int, dict[str, str]] = {}
    for name, file in listed.items():
        found.setdefault(_batch_of(name), {})[name] = file.sha256
    prefix = "/".join(package_prefix(path))
    return [Batch(key=f"{number:02d}", modules=found[number], prefix=prefix) for number in sorted(found)]


def _batch_of(name: str) -> int:
    return hashlib.sha256(name.encode()).digest()[0] % BATCHES


def scan_state(batch: Batch) -> str:
    """Return a digest that is the same as long as a scan of a batch would say the same."""
    return digest_of((batch, f"vulture {version('vulture')}", sys.version_info[:2]))
