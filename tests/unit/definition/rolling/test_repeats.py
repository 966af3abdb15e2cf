"""X12, D11: who may check work that is repeated, what it judges, and when no further round is made."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.models.test import TestModel

from echelon import Brief, Handoffs, Job, Repeat, Rounds, Verdict, agent, command, integrator
from echelon.agents.checks.verdict import verdict_of
from echelon.definition.rolling.repeat import Repetition
from echelon.model.errors import InvalidJob
from echelon.model.handoff import StoppedBy


class Inputs(BaseModel):
    bugs: tuple[str, ...] = ("a", "b")
    strict: bool = True


class Bug(BaseModel):
    id: str


class Fix(BaseModel):
    id: str


@agent
async def fix(bug: Bug) -> Fix:
    """Fix a bug"""
    return Fix(id=bug.id)


@agent
async def write() -> str:
    """Write"""
    return "text"


@agent(effect="irreversible")
async def send(bug: Bug) -> Fix:
    """Send a bug away"""
    return Fix(id=bug.id)


@integrator
def together(fixes: Handoffs[Fix]) -> int:
    """Count the fixes"""
    return len(fixes)


def bugs_of(bugs: tuple[str, ...]) -> list[Bug]:
    return [Bug(id=one) for one in bugs]


def mending(until: Any, **phase: Any) -> Repetition:
    """Return how fixes are repeated until a check passes."""
    bounds = {name: phase.pop(name) for name in ("rounds", "stall") if name in phase}
    job = Job("mending", goal="Mend", inputs=Inputs)
    job.phase("fix", **{"each": fix, "over": bugs_of, "repeat": Repeat(until=until, **bounds), **phase})
    found = job.phases["fix"].repetition
    assert found is not None
    return found


def model(output_type: Any, backend: TestModel | None = None) -> Any:
    return PydanticAgent(backend or TestModel(), output_type=output_type, name="reviewer", defer_model_check=True)


def of_item_and_output(bug: Bug, output: Fix) -> bool:
    return bug.id == output.id


def of_item(bug: Bug) -> str:
    return ""


def of_output_by_name(output: Fix) -> Verdict:
    return Verdict.accepted()


def of_output_by_type(made: Fix) -> bool:
    return True


def of_item_and_inputs(bug: Bug, strict: bool) -> bool | str:
    return True


def of_item_named_as_an_input(bugs: Bug) -> bool:
    return True


def of_all_bugs(bugs: tuple[str, ...]) -> bool:
    return True


def of_handoffs(fix: Handoffs[Fix]) -> bool:
    return True


def of_item_of_all(fix: Handoffs[Fix], strict: bool) -> bool:
    return True


def of_inputs(strict: bool) -> bool:
    return True


def of_nothing() -> str:
    return ""


def of_brief(brief: Brief) -> bool:
    return True


def of_rounds(rounds: Rounds[Fix]) -> bool:
    return True


@agent
async def careful(bug: Bug, output: Fix) -> Verdict:
    """Look carefully"""
    return Verdict.accepted()


SINGLE, WHOLE = False, True


@pytest.mark.parametrize(
    ("until", "whole"),
    [
        (of_item_and_output, SINGLE),
        (of_item, SINGLE),
        (of_output_by_name, SINGLE),
        (of_output_by_type, SINGLE),
        (of_item_and_inputs, SINGLE),
        (careful, SINGLE),
        (of_item_named_as_an_input, SINGLE),
        (of_all_bugs, WHOLE),
        (of_handoffs, WHOLE),
        (of_item_of_all, WHOLE),
        (of_inputs, WHOLE),
        (of_nothing, WHOLE),
        (of_brief, WHOLE),
        (of_rounds, SINGLE),
        (command(["test", "{id}"]), SINGLE),
        (command(["cat"], stdin="{id}"), SINGLE),
        (command(["make", "test"]), WHOLE),
        (command(["test", "{strict}"]), WHOLE),
        (command(["test", "{workspace}"]), WHOLE),
        (model(Verdict), SINGLE),
        (model(bool), SINGLE),
        (model(str), SINGLE),
    ],
)
def test_a_check_judges_what_it_asks_for(until: Any, whole: bool) -> None:
    assert mending(until).whole_phase is whole


def test_a_model_judges_what_is_put_together_where_something_puts_it_together() -> None:
    assert mending(model(Verdict), integrate=together).whole_phase


def test_a_check_of_one_agent_may_ask_for_its_output() -> None:
    def long_enough(output: str) -> str:
        return "" if len(output) > 3 else "too short"

    assert not mending(long_enough, each=None, over=None, agent=write).whole_phase


@pytest.mark.parametrize(
    ("until", "contract"),
    [
        (command(["make", "test"]), Verdict),
        (command(["make", "test"], output=Verdict), Verdict),
        (model(bool), bool),
    ],
)
def test_a_command_says_by_its_exit_code_and_what_it_writes_what_is_missing(until: Any, contract: object) -> None:
    assert mending(until).check.output_type is contract


def test_a_command_that_writes_a_verdict_is_read_and_not_judged_by_its_exit_code() -> None:
    stated = mending(command(["true"], output=Verdict)).check
    exit_code = mending(command(["true"])).check

    assert (getattr(stated, "judges", None), getattr(exit_code, "judges", None)) == (False, True)


REVIEWER, MAKE = model(bool), command(["make", "{id}"])


def counts(fix: Handoffs[Fix]) -> int:
    return 1


def says_nothing(fix: Handoffs[Fix]) -> None:
    return None


@agent(effect="write")
async def writes(bug: Bug) -> bool:
    """Write"""
    return True


@agent(name="another")
async def again(bug: Bug) -> bool:
    """Say so"""
    return True


def of_strangers(bug: Bug, output: Fix, stranger: int) -> bool:
    return True


@pytest.mark.parametrize(
    ("until", "complaint"),
    [
        (counts, "phase 'fix': what 'counts' returns is no verdict; a check returns bool, a text"),
        (says_nothing, "what 'says_nothing' returns is no verdict"),
        (model(Fix), "what 'reviewer' returns is no verdict"),
        (model(list[Verdict]), "what 'reviewer' returns is no verdict"),
        (fix, "what 'fix' returns is no verdict"),
        (writes, "'writes' only checks, so its effect must be read, not write"),
        (command(["rm", "x"], effect="irreversible"), "'rm' only checks, so its effect must be read, not irreversible"),
        ("make test", "'make test' cannot check anything: give a function, a command or an agent"),
        (3, "3 cannot check anything"),
        (of_strangers, "'stranger'"),
    ],
)
def test_what_cannot_check_is_refused_with_the_name_of_the_phase(until: Any, complaint: str) -> None:
    with pytest.raises(InvalidJob) as refused:
        mending(until)

    assert complaint in str(refused.value)


@pytest.mark.parametrize(
    ("worker", "until"),
    [
        (again, again),
        (again, again.function),
        (agent(name="renamed")(again.function), again),
        (REVIEWER, REVIEWER),
        (MAKE, MAKE),
        (MAKE, command(["make", "{id}"], name="test", output=Verdict)),
    ],
)
def test_nobody_checks_their_own_work(worker: Any, until: Any) -> None:
    with pytest.raises(InvalidJob, match=r"would check its own work.*; let somebody else check it, or a function"):
        mending(until, each=worker)


def test_what_cannot_be_undone_is_not_repeated() -> None:
    with pytest.raises(InvalidJob, match="what 'send' does cannot be undone, so it cannot be repeated"):
        mending(of_nothing, each=send)


@pytest.mark.parametrize("bounds", [{"rounds": 0}, {"rounds": -1}, {"stall": 0}, {"reactions": 0}])
def test_bounds_that_are_none_are_refused(bounds: dict[str, int]) -> None:
    with pytest.raises(InvalidJob, match="must all be 1 or more"):
        Repeat(until=of_nothing, **bounds)


@pytest.mark.parametrize(
    ("said", "result", "gap"),
    [
        (True, "accepted", ""),
        (False, "rejected", "it does not pass"),
        ("", "accepted", ""),
        (" \n", "accepted", ""),
        ("2 tests fail", "rejected", "2 tests fail"),
        (Verdict.unverifiable("no tests"), "unverifiable", "no tests"),
    ],
)
def test_what_a_check_says_is_a_verdict(said: object, result: str, gap: str) -> None:
    verdict = verdict_of(said)

    assert (verdict.result, verdict.gap) == (result, gap)


@pytest.mark.parametrize("said", [None, 1, [], Fix(id="a")])
def test_what_is_no_verdict_is_said_to_be_none(said: object) -> None:
    with pytest.raises(TypeError, match="a check returns True, False, a text or a Verdict"):
        verdict_of(said)


def bad(gap: str, *items: str) -> Verdict:
    return Verdict.rejected(gap, dict.fromkeys(items, gap))


GOOD = Verdict.accepted()


@pytest.mark.parametrize(
    ("said", "stopped"),
    [
        ([GOOD], "passed"),
        ([bad("a"), GOOD], "passed"),
        ([bad("a"), bad("a"), bad("a"), GOOD], "passed"),  # whatever was said before
        ([bad("a")], None),
        ([bad("a"), bad("b")], None),
        ([bad("a"), bad("a")], None),  # once the same: one round without news
        ([bad("a"), bad("a"), bad("a")], "no_progress"),  # two of them
        ([bad("a"), bad("b"), bad("a")], None),
        ([bad("a"), bad("b"), bad("a"), bad("b")], "no_progress"),  # to and fro
        ([bad("a"), bad("b"), bad("c"), bad("a"), bad("b")], "no_progress"),  # and in a larger circle
        ([bad("a"), bad("a"), bad("b"), bad("a")], None),  # news in between
        ([bad("1 failed in 0.12s"), bad("1 failed in 0.3s"), bad("1 failed in 12 seconds")], "no_progress"),
        ([bad("at 12:13:18.5"), bad("at 12:14:00"), bad("at 09:01")], "no_progress"),
        ([bad("2026-11-29 x"), bad("2026-11-30 x"), bad("2026-12-01 x")], "no_progress"),
        ([bad("<T at 0x7f3a>"), bad("<T at 0xFF>"), bad("<T at 0x1>")], "no_progress"),
        ([bad("1  failed\n"), bad("1 failed"), bad("1 failed")], "no_progress"),
        ([bad("3 failed"), bad("2 failed"), bad("1 failed")], None),  # numbers that count are news
        ([bad("a", "x", "y"), bad("a", "x"), bad("a", "y")], None),  # other items each time
        ([bad("a", "x", "y"), bad("a", "y", "x"), bad("a", "x", "y")], "no_progress"),
        ([Verdict.unverifiable("no tests")], "unverifiable"),
        ([bad("a"), Verdict.unverifiable("no tests")], "unverifiable"),
        ([bad(f"{n}") for n in range(5)], None),
        ([bad(f"{n}") for n in range(6)], "rounds"),
    ],
)
def test_why_no_further_round_is_made(said: list[Verdict], stopped: StoppedBy | None) -> None:
    assert mending(of_nothing, rounds=6, stall=2).why_stopped(said) == stopped


VERDICTS = st.builds(
    Verdict,
    result=st.sampled_from(["accepted", "rejected", "rejected", "rejected", "unverifiable"]),
    gap=st.sampled_from(["", "a", "b", "1 failed in 0.1s", "2 failed"]),
    items=st.dictionaries(st.sampled_from("xyz"), st.just("bad"), max_size=3),
)


@given(st.integers(1, 8), st.integers(1, 4), st.lists(VERDICTS, min_size=8, max_size=8))
def test_it_always_stops_and_never_after_more_rounds_than_stated(rounds: int, stall: int, said: list[Verdict]) -> None:
    repetition = mending(of_nothing, rounds=rounds, stall=stall)
    made = next(number for number in range(1, 9) if repetition.why_stopped(said[:number]) is not None)

    assert made <= rounds
    assert (repetition.why_stopped(said[:made]) == "passed") is said[made - 1].passed
