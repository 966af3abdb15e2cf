"""Divide a very large graph with Mt-KaHyPar, when the extra `large` is installed (D2).

It sees the whole graph at once, which finds the few parts at the top better than growing them from below. One thread
and its deterministic preset are used: the same input gives the same parts on every machine. A plan made without the
extra is another plan, though, made from below all the way.
"""

from functools import cache
from importlib import import_module
from typing import Any

from echelon.planning.partition.nets import Nets

LARGE_FROM = 20_000  # tasks; up to here everything is clustered from below
SEED = 7
IMBALANCE = 0.03  # of the mean, which parts may exceed


def divide_large(nets: Nets, members: int, parts: int, most: int) -> list[int] | None:
    """Return the part of each member, one of `parts`, of `most` members or little more; None without the extra.

    Whoever calls sees to the limits: what the library returns is not taken on trust.
    """
    library = _library()
    if library is None or not nets.pins:
        return None
    module, initializer = library
    module.set_seed(SEED)
    context = initializer.context_from_preset(module.PresetType.DETERMINISTIC)
    context.set_partitioning_parameters(parts, IMBALANCE, module.Objective.KM1)
    context.logging = False
    context.set_individual_target_block_weights([most] * parts)
    graph = initializer.create_hypergraph(
        context, members, len(nets.pins), [list(pins) for pins in nets.pins], [1] * members, list(nets.weights)
    )
    return list(graph.partition(context).get_partition())


@cache
def _library() -> tuple[Any, Any] | None:
    """Return Mt-KaHyPar and its one initialiser a process; None when it is not installed."""
    try:
        module = import_module("mtkahypar")
    except ImportError:
        return None
    return module, module.initialize(1, False)
