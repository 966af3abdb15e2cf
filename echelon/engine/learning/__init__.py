"""What a run learns from those before it, and what it leaves for those behind it (X10)."""

from echelon.engine.learning.adjusting import adjusted_before, as_adjusted
from echelon.engine.learning.history import learnt_before, learnt_of

__all__ = ["adjusted_before", "as_adjusted", "learnt_before", "learnt_of"]
