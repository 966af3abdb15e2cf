import os
import subprocess
import sys
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from echelon.contract.version import contract_name
from echelon.coordination.step.keys import step_key
from echelon.model.run import StepKind

PARTS: dict[str, Any] = {
    "job": "audit",
    "phase": "inspect",
    "node": "inspect/a.py",
    "kind": StepKind.TASK,
    "contract": "Finding@1",
    "inputs_digest": "1",
    "upstream_digest": "2",
}
PROGRAM = f"""
from echelon.contract.version import contract_name
from echelon.coordination.step.keys import step_key
from echelon.model.run import StepKind
parts = {PARTS | {"kind": "task"}!r}
print(step_key(**(parts | {{"kind": StepKind.TASK}})), contract_name(dict[str, int]))
"""


@pytest.mark.parametrize("part", PARTS)
def test_a_step_is_another_one_when_anything_it_is_given_differs(part: str) -> None:
    other = StepKind.INTEGRATION if part == "kind" else "other"

    assert step_key(**(PARTS | {part: other})) != step_key(**PARTS)


def test_the_same_step_has_the_same_key_in_every_process() -> None:
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    told = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)

    assert told.stdout.split() == [step_key(**PARTS), contract_name(dict[str, int])]


@given(st.lists(st.text(alphabet='ab\n"\\,', max_size=4), min_size=2, max_size=2))
def test_two_steps_never_meet_in_one_key_whatever_they_are_called(names: list[str]) -> None:
    one = step_key(**(PARTS | {"phase": names[0], "node": names[1]}))
    moved = step_key(**(PARTS | {"phase": f"{names[0]}\n{names[1]}", "node": ""}))
    swapped = step_key(**(PARTS | {"phase": names[1], "node": names[0]}))

    assert one != moved
    assert (one == swapped) is (names[0] == names[1])


def test_a_contract_that_changes_is_another_one() -> None:
    def version(field: str) -> type[BaseModel]:
        return type("Finding", (BaseModel,), {"__annotations__": {field: str}})

    assert contract_name(version("path")) == contract_name(version("path"))
    assert contract_name(version("path")) != contract_name(version("file"))
    assert contract_name(int).startswith("int@")


def test_a_contract_may_be_written_with_what_cannot_be_hashed() -> None:
    assert contract_name(Annotated[int, []]) == contract_name(Annotated[int, []])
