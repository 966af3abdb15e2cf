"""What the scans of all batches say together."""

from collections.abc import Iterable

from contracts.modules import Module
from contracts.scans import BatchScan, ModuleScan
from echelon import Handoffs


def scanned(scan: Handoffs[BatchScan], modules: Iterable[Module]) -> dict[str, ModuleScan]:
    """Return what is known of each module; of one whose batch is missing, that nothing is."""
    known = {name: module for batch in scan.outputs() for name, module in batch.modules.items()}
    lacking = ModuleScan(unseen="its scan is missing")
    return {module.path: known.get(module.path, lacking) for module in modules}


def unread_in(scan: Handoffs[BatchScan]) -> dict[str, str]:
    """Return the modules that no tool can take into account, with the reasons."""
    return {name: module.unread for batch in scan.outputs() for name, module in batch.modules.items() if module.unread}
