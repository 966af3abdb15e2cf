"""People are asked in Prefect: a run that waits at a gate is suspended, and Prefect's form takes the answer (O8)."""

from echelon.engine.asking import waking

__all__ = ["waking"]
