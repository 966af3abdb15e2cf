"""The scan of a batch of modules: can they be read, what do they define, which names do they use?"""

from pathlib import Path

from contracts.modules import Module
from contracts.scans import Batch, BatchScan, ModuleScan
from echelon import Outcome, agent
from echelon.model.phrasing import count
from tasks.scanning.usage import usage_of
from tasks.sources import UnreadableError, decode, harmless, parse, read_as_listed
from tasks.tools import TOOL_TIMEOUT_SECONDS


@agent(cpu_bound=True, timeout=TOOL_TIMEOUT_SECONDS)
def scan_batch(batch: Batch, path: Path, max_bytes: int) -> Outcome[BatchScan]:
    """Read some modules, each by itself."""
    scan = BatchScan(modules={name: _scan(batch, name, path, max_bytes) for name in batch.modules})
    unread = sum(bool(module.unread) for module in scan.modules.values())
    left_out = f", of which {unread} cannot be read" if unread else ""
    return Outcome(output=scan, summary=f"{count(len(scan.modules), 'module')} scanned{left_out}")


def _scan(batch: Batch, name: str, root: Path, max_bytes: int) -> ModuleScan:
    try:
        source = decode(read_as_listed(root, Module(path=name, package=""), max_bytes, batch.modules[name]))
        parse(source)
    except UnreadableError as reason:
        return ModuleScan(unread=str(reason))
    return usage_of(source, harmless(f"{batch.prefix}/{name}".lstrip("/")))
