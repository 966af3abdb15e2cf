"""What the inspection of one module is given: its own share of the surveys, and nothing of others."""

from pydantic import Field

from contracts.modules import Module
from contracts.surveys import Clone, DeadItem, LintHit
from echelon.model.base import Value


class Inspection(Value):
    """One module to inspect. What is not in here the inspection does not know, so it depends on nothing else."""

    module: Module
    """The module."""
    sha256: str
    """Digest of its file, or of why it cannot be read."""
    hits: tuple[LintHit, ...] = ()
    """Rules it breaks."""
    dead: tuple[DeadItem, ...] = ()
    """What in it nobody uses."""
    clones: tuple[Clone, ...] = ()
    """What in it exists elsewhere too."""
    cycle: tuple[str, ...] = ()
    """The modules of the import cycle it is in, itself included."""
    absent: tuple[str, ...] = ()
    """Surveys that were not delivered."""
    digest: str = Field(default="")
    """Stands for everything above, and for the versions of what measures: equal digests, equal findings."""

    @property
    def named(self) -> frozenset[str]:
        """The other modules that this share names: when one of them changes, so may what is said of this one."""
        cloned = {place.rpartition(":")[0] for clone in self.clones for place in clone.others}
        return frozenset(cloned.union(self.cycle) - {self.module.path})
