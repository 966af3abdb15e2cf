"""Every output crosses one boundary: strict refuses, flexible repairs or asks once more (C3, C5)."""

import math
from dataclasses import replace
from typing import Any, Literal

import pytest
from pydantic import BaseModel, SecretStr, TypeAdapter

from echelon.agents.outcome import Outcome
from echelon.coordination.step.boundary import Accepted, Boundary, accept
from echelon.coordination.step.envelope import MAX_SUMMARY
from echelon.model.errors import AgentFailed, ContractViolation
from echelon.model.usage import Usage

pytestmark = pytest.mark.anyio


class Finding(BaseModel):
    line: int
    severity: Literal["low", "high"] = "low"
    summary: str = ""


GOOD, BAD, CARELESS = {"line": 1}, {"line": "x"}, {"line": 1, "severity": "High"}
ONE_CALL = Usage(tokens_in=10, tokens_out=1, calls=1)


def boundary(type_: Any = Finding, *, flexible: bool = False) -> Boundary:
    return Boundary(contract=TypeAdapter(type_), producer="look", flexible=flexible)


@pytest.mark.parametrize(
    ("outcome", "summary"),
    [
        (Outcome(output=3), "3"),
        (Outcome(output=Finding(line=1)), "line: 1, severity: low, summary: empty"),
        (Outcome(output=3, summary="found three"), "found three"),
        (Outcome(output="\n  first line \nsecond"), "first line"),
        (Outcome(output=""), "empty"),
        (Outcome(output=Finding(line=1, summary="one finding")), "one finding"),
        (Outcome(output=3, summary="x" * 10_000), "x" * (MAX_SUMMARY - 1) + "…"),
        (Outcome(output=3, summary="one sentence\nand a page of it"), "one sentence"),
        (Outcome(output=3, summary="\x1b[2Jgone"), "\\x1b[2Jgone"),
    ],
)
def test_a_summary_is_one_short_line_whoever_writes_it(outcome: Outcome[Any], summary: str) -> None:
    assert boundary(Any).take(outcome).outcome.summary == summary


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (BAD, "look delivered something else than its contract: line: Input should be a valid integer"),
        (CARELESS, "severity: 'High' is not in its vocabulary: 'high', 'low'"),
        (
            Finding.model_construct(line=math.nan),
            "what look delivered cannot be recorded: line: nan is not a valid JSON number",
        ),
        (Finding.model_construct(line="7x"), "what look delivered cannot be recorded: no consumer could read it, line"),
    ],
    ids=["C5-kind", "C3-word", "C1-not-finite", "C1-unreadable"],
)
def test_strict_refuses_with_the_place_and_the_producer_and_tells_the_price(output: Any, said: str) -> None:
    with pytest.raises(ContractViolation) as refused:
        boundary().take(Outcome(output=output, usage=ONE_CALL))

    assert said in str(refused.value)
    assert refused.value.usage == ONE_CALL


def test_flexible_mends_and_keeps_what_the_agent_mended_itself() -> None:
    taken = boundary(flexible=True).take(Outcome(output=CARELESS, repairs=("sent back to the model 1 time",)))

    assert taken.plain == {"line": 1, "severity": "high", "summary": ""}
    assert taken.repairs == ("sent back to the model 1 time", "severity: 'High' read as 'high'")


class Agent:
    """Answers one thing after the other, and remembers what it was told."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.told: list[str] = []

    async def answer(self) -> Outcome[Any]:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Outcome(output=answer, usage=ONE_CALL)

    async def again(self, complaint: str) -> Outcome[Any]:
        self.told.append(complaint)
        return await self.answer()


async def take(agent: Agent, *, flexible: bool = True, asks: bool = True) -> Accepted:
    return await accept(boundary(flexible=flexible), agent.answer, agent.again if asks else None)


async def test_an_agent_that_can_be_asked_is_asked_once_more_and_both_answers_are_paid() -> None:
    agent = Agent(BAD, GOOD)
    taken = await take(agent)

    assert taken.outcome.output == Finding(line=1)
    assert agent.told[0].startswith("look delivered something else than its contract: line: ")
    assert taken.repairs[0].startswith("asked once more: look delivered")
    assert taken.usage == ONE_CALL + ONE_CALL


@pytest.mark.parametrize(
    ("answers", "how", "asked"),
    [
        ((BAD, BAD, GOOD), {}, 1),  # once, not twice
        ((BAD, GOOD), {"asks": False}, 0),  # a function
        ((BAD, GOOD), {"flexible": False}, 0),
    ],
    ids=["C5-once", "C5-function", "C5-strict"],
)
async def test_nobody_is_asked_more_than_once(answers: tuple[Any, ...], how: dict[str, Any], asked: int) -> None:
    agent = Agent(*answers)
    with pytest.raises(ContractViolation) as refused:
        await take(agent, **how)

    assert len(agent.told) == asked
    assert refused.value.usage == sum([ONE_CALL] * asked, ONE_CALL)


async def test_an_agent_that_fails_when_asked_again_has_still_been_paid_twice() -> None:
    failed = AgentFailed("no")
    failed.usage = ONE_CALL
    with pytest.raises(AgentFailed) as refused:
        await take(Agent(BAD, failed))

    assert refused.value.usage == ONE_CALL + ONE_CALL


def refused_by_its_agent(*delivered: Any) -> ContractViolation:
    violation = ContractViolation("command 'ruff': not a Finding")
    violation.delivered = delivered
    return violation


async def test_what_an_agent_refused_of_its_own_tool_is_mended_too() -> None:
    taken = await take(Agent(refused_by_its_agent(CARELESS)), asks=False)

    assert (taken.outcome.output, len(taken.repairs)) == (Finding(line=1, severity="high"), 1)


@pytest.mark.parametrize("delivered", [(), (BAD,)], ids=["unreadable", "beyond repair"])
async def test_what_cannot_be_mended_stays_refused(delivered: tuple[Any, ...]) -> None:
    with pytest.raises(ContractViolation):
        await take(Agent(refused_by_its_agent(*delivered)), asks=False)


async def test_strict_does_not_look_at_what_its_agent_refused() -> None:
    with pytest.raises(ContractViolation, match="not a Finding"):
        await take(Agent(refused_by_its_agent(GOOD)), flexible=False)


def test_an_outcome_keeps_everything_else() -> None:
    outcome = Outcome(output=GOOD, confidence=0.4, next_steps=("rest",), usage=ONE_CALL)
    taken = boundary().take(outcome)

    assert taken.outcome == replace(outcome, output=Finding(line=1), summary="line: 1, severity: low, summary: empty")


class Detailed(Finding):
    column: int


class Token(BaseModel):
    value: SecretStr


def test_what_consumers_would_not_get_is_refused_by_a_strict_boundary_and_said_by_a_flexible_one() -> None:
    outcome = Outcome[object](output=Detailed(line=1, column=2))

    with pytest.raises(ContractViolation, match="column: the number 2 would be lost"):
        boundary().take(outcome)
    accepted = boundary(flexible=True).take(outcome)

    assert accepted.plain == {"line": 1, "severity": "low", "summary": ""}
    assert accepted.repairs == ("column: the number 2 would be lost, the contract has no such field",)


@pytest.mark.parametrize("flexible", [True, False])
def test_a_secret_is_never_masked_without_a_word(flexible: bool) -> None:
    with pytest.raises(ContractViolation, match="value: a secret is not recorded"):
        boundary(Token, flexible=flexible).take(Outcome(output=Token(value=SecretStr("x"))))
