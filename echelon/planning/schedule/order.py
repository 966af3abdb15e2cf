"""Put tasks in an order in which every producer comes before its consumers (D4). Iterative: chains may be long."""

from collections import deque
from collections.abc import Mapping, Sequence

from echelon.model.errors import InvalidInput
from echelon.model.graph import Coupling, TaskSpec

NAMED_ON_A_CYCLE = 12  # task ids; longer cycles are cut short in the message


def producers_of(task: TaskSpec) -> tuple[str, ...]:
    """Return the ids of the tasks it uses or checks, each once; a coupling of `none` is no dependency (D3, O3)."""
    links = task.depends_on
    if not task.verifies and len(links) < 2:  # most tasks of most graphs, asked many times over
        return (links[0].task,) if links and links[0].coupling is not Coupling.NONE else ()
    used = [d.task for d in links if d.coupling is not Coupling.NONE]
    return tuple(dict.fromkeys([*used, *task.verifies]))


def consumers_of(tasks: Sequence[TaskSpec]) -> dict[str, list[str]]:
    """Return the ids of the tasks that use each task, in their order, each once."""
    return _turned({task.id: producers_of(task) for task in tasks})


def _turned(producers: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    consumers: dict[str, list[str]] = {task_id: [] for task_id in producers}
    for task_id, used in producers.items():
        for producer in used:
            consumers[producer].append(task_id)
    return consumers


def topological(tasks: Sequence[TaskSpec]) -> tuple[TaskSpec, ...]:
    """Return the tasks with producers first, otherwise in the order given; `InvalidInput` names a cycle."""
    by_id = {task.id: task for task in tasks}
    producers = {task.id: producers_of(task) for task in tasks}
    consumers = _turned(producers)
    waiting = {task_id: len(used) for task_id, used in producers.items()}
    ready = deque(task_id for task_id, count in waiting.items() if not count)
    done: list[TaskSpec] = []
    while ready:
        current = ready.popleft()
        done.append(by_id[current])
        for consumer in consumers[current]:
            waiting[consumer] -= 1
            if not waiting[consumer]:
                ready.append(consumer)
    if len(done) < len(tasks):
        raise _cyclic({task_id: producers[task_id] for task_id, count in waiting.items() if count})
    return tuple(done)


def _cyclic(stuck: Mapping[str, Sequence[str]]) -> InvalidInput:
    """Explain a cycle among tasks that each wait for another of them."""
    seen: dict[str, int] = {}
    current = next(iter(stuck))
    while current not in seen:
        seen[current] = len(seen)
        current = next(producer for producer in stuck[current] if producer in stuck)
    cycle = list(seen)[seen[current] :][::-1]
    shown = cycle[:NAMED_ON_A_CYCLE]
    more = f" -> … ({len(cycle) - len(shown)} more)" if len(cycle) > len(shown) else ""
    return InvalidInput(
        f"cannot order the tasks: they wait for each other in a cycle, {' -> '.join(shown)}{more} -> {shown[0]}; "
        "remove one of these dependencies or give it the coupling 'none'"
    )
