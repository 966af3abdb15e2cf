"""Which outputs a reader of the brief is given by value, and which are only named (C6). Pure.

Whole outputs only, never half of one. Where not all of them fit, the smallest are given: that way most of them are,
and the choice is the same in every attempt.
"""

from collections.abc import Iterator

from echelon.agents.call import Call
from echelon.agents.handoffs import Received
from echelon.model.handoff import BYTES_PER_TOKEN


def received_in(call: Call) -> Iterator[tuple[str, Received[object]]]:
    """Yield everything that a call may read, with the phase it comes from: also what no integration holds (F7)."""
    for phase, handoffs in call.upstream.items():
        for received in (*handoffs, *handoffs.unmerged):
            yield phase, received


def chosen(call: Call) -> frozenset[str]:
    """Return the tasks whose outputs are given by value: as JSON they are `by_value_tokens` of the call together."""
    room = call.by_value_tokens * BYTES_PER_TOKEN
    sizes = [(one.size_bytes, one.task_id) for _, one in received_in(call)]
    given: set[str] = set()
    for size, task_id in sorted(sizes):
        room -= size
        if room < 0:
            break
        given.add(task_id)
    return frozenset(given)
