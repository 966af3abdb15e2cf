"""What people read of gates: where each stands, and what a plan states of them (O5)."""

from datetime import datetime, timedelta

import pytest

from echelon import Gate, Handoffs, Job, agent
from echelon.definition.definition import NoInputs
from echelon.definition.planned import planned
from echelon.model.oversight.gate import GateRecord
from echelon.visibility.gates import gate_lines, gates_counted, standing, takes_answers
from tests.unit.engine.asking.gates import NOON, a_gate, an_answer

ENDS = NOON + timedelta(seconds=60)
IN_TIME, LATE = ENDS, ENDS + timedelta(seconds=1)
ENDED = "the time to answer ended at 2026-11-29 12:01:00 UTC; deny counts when the run goes on"
OPEN = a_gate()
ENDING = a_gate(expires=ENDS)
ANSWERED = a_gate(expires=ENDS, answers=(an_answer(),))


@pytest.mark.parametrize(
    ("gate", "now", "said", "takes"),
    [
        (OPEN, LATE, "may it begin? open since 2026-11-29 12:00:00", True),
        (ENDING, IN_TIME, "may it begin? open since 2026-11-29 12:00:00, until 2026-11-29 12:01:00, then deny", True),
        (
            ENDING,
            LATE,
            f"not answered; {ENDED}: echelon resume run",
            False,
        ),
        (ANSWERED, LATE, "approve by ada at 2026-11-29 12:00:00", False),
    ],
)
def test_a_gate_whose_time_is_up_does_not_look_open(gate: GateRecord, now: datetime, said: str, takes: bool) -> None:
    assert standing(gate, now) == said
    assert takes_answers(gate, now) is takes


def test_gates_whose_time_is_up_are_counted_apart() -> None:
    assert gates_counted([OPEN, ENDING, ANSWERED], LATE) == "1 gate open, 1 not answered in time, 1 answered"


@agent
async def find() -> list[int]:
    return [1, 2]


def found(lists: Handoffs[list[int]]) -> list[int]:
    return lists.outputs()[0]


@agent(effect="irreversible")
async def delete(item: int) -> int:
    return item


@agent
async def tell(item: int) -> int:
    return item


def test_a_plan_states_the_gates_of_all_phases_those_that_find_their_items_on_the_way_among_them() -> None:
    job = Job("clean", goal="Clean up")
    job.phase("find", agent=find, gate="it takes an hour")
    job.phase("purge", each=delete, over=found, needs="find", gate=Gate(approvers=("mia",), expires_seconds=3600))
    job.phase("delete", each=delete, over=found, needs="find")
    job.phase("tell", each=tell, over=found, needs="find")
    plan = planned(job, NoInputs()).plan

    assert list(gate_lines(plan)) == [
        "gate of find: it takes an hour",
        "gate of purge: mia may answer; an answer is waited for 1 h 0 min, then deny",
    ]
    assert {one.phase: one.at_gate is not None for one in plan.open} == {"purge": True, "delete": True, "tell": False}
