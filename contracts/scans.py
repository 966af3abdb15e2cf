"""What is read in each module by itself, so that a change elsewhere is no reason to read it again."""

from pydantic import Field

from contracts.surveys import DeadItem
from echelon.model.base import Value


class Batch(Value):
    """Modules that are scanned together."""

    key: str
    """Which of the batches it is."""
    modules: dict[str, str]
    """Module → digest of its file, or of why it cannot be read."""
    prefix: str = ""
    """Folders of the packages that the audited folder itself is in, with slashes; names below it begin with them."""


class ModuleScan(Value):
    """What one module defines and uses, whatever the others do."""

    unread: str = ""
    """Why no tool can take it into account; empty when all can."""
    unseen: str = ""
    """Why only the search for dead code cannot; empty when it can."""
    defined: tuple[DeadItem, ...] = ()
    """What is dead code unless somebody uses its name, and what is whoever does."""
    used: tuple[str, ...] = ()
    """Names that it uses, in order."""


class BatchScan(Value):
    """The modules of one batch."""

    modules: dict[str, ModuleScan] = Field(default_factory=dict)
    """Module → what is in it."""
