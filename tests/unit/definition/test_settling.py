"""A plan says what decides between outputs that contradict each other, and where a flat moment is (X9, O6)."""

from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from echelon import Conflict, Job, Key, Oversight, agent


class Risk(BaseModel):
    file: Annotated[str, Key()]
    level: int


@agent
async def look() -> Risk:
    return Risk(file="a", level=1)


@agent
async def count() -> int:
    return 1


def stricter(conflict: Conflict) -> str:
    return conflict.sides[0].name


def looser(conflict: Conflict) -> str:
    return conflict.sides[1].name


@pytest.mark.parametrize(
    ("of_job", "phase", "expected"),
    [
        (None, {"agent": look}, "conflicts settled by a person"),
        (stricter, {"agent": look}, "conflicts settled by stricter"),
        (
            stricter,
            {"agent": look, "settle": looser, "flat": True},
            "conflicts settled by looser; a flat moment behind it",
        ),
        (stricter, {"agent": count}, ""),  # nothing of it could be compared
        (None, {"agent": count, "flat": True}, "a flat moment behind it"),
    ],
)
def test_a_plan_says_who_decides(of_job: Any, phase: dict[str, Any], expected: str) -> None:
    job = Job("audit", goal="Find risks", oversight=Oversight(settle=of_job))
    job.phase("look", **phase)

    assert job.plan().phases[0].said == expected
