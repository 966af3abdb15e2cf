"""What a run learns from those before it, and what it leaves for those behind it (X10)."""

from echelon.engine.learning.adjusting import adjust_before, go_by_changes
from echelon.engine.learning.history import learnt_before, learnt_of

__all__ = ["adjust_before", "go_by_changes", "learnt_before", "learnt_of"]
