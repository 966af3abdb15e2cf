"""Put tasks into an order in which those that depend on each other stand near by, and cut it into chunks (D2).

Simple, and what every better grouping has to beat. Iterative, for chains may be long; tasks on a cycle come last.
"""

from collections import deque
from collections.abc import Sequence

Links = Sequence[Sequence[int]]


def topological_order(consumers: Links) -> list[int]:
    """Return producers before consumers, in the order in which they become ready."""
    waiting = _producers(consumers)
    ready = deque(task for task, count in enumerate(waiting) if not count)
    order: list[int] = []
    while ready:
        task = ready.popleft()
        order.append(task)
        for consumer in consumers[task]:
            waiting[consumer] -= 1
            if not waiting[consumer]:
                ready.append(consumer)
    seen = set(order)
    return order + [task for task in range(len(consumers)) if task not in seen]


def depth_first_order(consumers: Links) -> list[int]:
    """Return every task followed by what uses it, as deep as that goes, before its neighbours."""
    producers = _producers(consumers)
    sources = [task for task, count in enumerate(producers) if not count]
    order: list[int] = []
    seen = [False] * len(consumers)
    for start in [*sources, *range(len(consumers))]:
        stack = [start]
        while stack:
            task = stack.pop()
            if not seen[task]:
                seen[task] = True
                order.append(task)
                stack.extend(reversed(consumers[task]))
    return order


def chunks(order: Sequence[int], most: int) -> list[int]:
    """Return the group of each task when an order is cut after every `most` tasks."""
    group_of = [0] * len(order)
    for position, task in enumerate(order):
        group_of[task] = position // most
    return group_of


def renumbered(consumers: Links, order: Sequence[int]) -> list[list[int]]:
    """Return the links among the tasks of `order`, each of which gets its position there as its index."""
    position = {task: place for place, task in enumerate(order)}
    return [[position[consumer] for consumer in consumers[task] if consumer in position] for task in order]


def _producers(consumers: Links) -> list[int]:
    """Return how many links lead to each task."""
    counts = [0] * len(consumers)
    for used_by in consumers:
        for consumer in used_by:
            counts[consumer] += 1
    return counts
