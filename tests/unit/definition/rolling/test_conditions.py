"""X12: who may say whether a phase is wanted, and what its answer means."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from echelon import Handoffs, Job, agent
from echelon.definition.rolling.condition import why_not
from echelon.model.errors import InvalidJob


class Inputs(BaseModel):
    deep: bool = False


@agent
async def look() -> int:
    """Look"""
    return 1


@agent
async def dig(look: Handoffs[int]) -> int:
    """Dig"""
    return sum(look.outputs())


def of_handoffs(look: Handoffs[int]) -> bool:
    return bool(look.outputs())


def of_inputs(deep: bool) -> str:
    return "" if deep else "a quick look was asked for"


def of_all_inputs(given: Inputs, look: Handoffs[int]) -> bool | str:
    return given.deep or f"{len(look)} is enough"


def unstated(deep):  # type: ignore[no-untyped-def]
    return deep


async def slowly(look: Handoffs[int]) -> bool:
    return bool(look.outputs())


@agent
async def decided(look: Handoffs[int]) -> bool:
    """Decide"""
    return bool(look.outputs())


def digging(when: Any, **phase: Any) -> Job:
    job = Job("digging", goal="Dig", inputs=Inputs)
    job.phase("look", agent=look)
    job.phase("dig", **{"agent": dig, "needs": "look", "when": when, **phase})
    return job


@pytest.mark.parametrize("when", [of_handoffs, of_inputs, of_all_inputs, unstated, slowly, decided])
def test_a_function_of_handoffs_and_inputs_decides_under_its_own_name(when: Any) -> None:
    condition = digging(when).phases["dig"].condition

    assert condition is not None
    assert condition.name == getattr(when, "name", None) or when.__name__


def numbers(look: Handoffs[int]) -> int:
    return 1


def nothing(look: Handoffs[int]) -> None:
    return None


def of_strings(look: Handoffs[str]) -> bool:
    return True


def of_strangers(other: int) -> bool:
    return True


def either(look: Handoffs[int]) -> bool | None:
    return True


@agent(effect="write")
async def writing(look: Handoffs[int]) -> bool:
    """Write"""
    return True


@pytest.mark.parametrize(
    ("when", "complaint"),
    [
        (numbers, "phase 'dig': `when` returns bool, or a text that says why the phase is not wanted"),
        (nothing, "`when` returns bool, or a text"),
        (either, "`when` returns bool, or a text"),
        (writing, "phase 'dig': 'writing' only decides, so its effect must be read, not write"),
        (of_strings, "'look' makes int, but it is built for str"),
        (of_strangers, "'other'"),
    ],
)
def test_what_cannot_decide_is_refused_with_the_name_of_the_phase(when: Callable[..., object], complaint: str) -> None:
    with pytest.raises(InvalidJob) as refused:
        digging(when)

    assert complaint in str(refused.value)


def test_what_asks_for_handoffs_where_no_phase_is_needed_is_refused() -> None:
    """It would be asked before there is anything, and decide on nothing."""
    with pytest.raises(InvalidJob, match="'of_handoffs' asks for handoffs, but the phase needs no other: add `needs=`"):
        digging(of_handoffs, agent=look, needs=())


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (True, ""),
        (False, "risky says that it is not wanted"),
        ("", ""),
        ("  ", ""),
        (" nothing was found ", "nothing was found"),
    ],
)
def test_an_answer_is_yes_or_no_or_the_reason_why_not(said: bool | str, reason: str) -> None:
    assert why_not("risky", said) == reason
