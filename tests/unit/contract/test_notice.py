"""C8: a contract that changed follows its coupling: tight consumers stand in the way, medium ones are named."""

from typing import Any

import pytest
from pydantic import BaseModel

from echelon import Fallback, Handoffs, Job, Need, agent
from echelon.contract.notice import Consumer, contract_notices
from echelon.contract.version import contract
from echelon.definition.definition import NoInputs
from echelon.definition.planned import planned
from echelon.model.plan import Finding, Plan


def finding(version: str = "1.0", **fields: Any) -> Any:
    """Make a type called Finding; its text is the one field that all of them have."""
    defaults = {name: made[1] for name, made in fields.items() if isinstance(made, tuple)}
    annotations = {name: made[0] if isinstance(made, tuple) else made for name, made in fields.items()}
    made = type("Finding", (BaseModel,), {"__annotations__": {"text": str, **annotations}, **defaults})
    made.__module__ = f"{version} {annotations} {defaults}"
    return contract(version=version)(made)


def plan_of(delivered: Any, coupling: str, *, ranked: Any = str) -> Plan:
    """A phase that delivers findings, and two agents that read them."""

    def inspect() -> Any:
        """Inspect it."""

    def rank(found: Handoffs[Any]) -> Any:
        """Rank them."""

    inspect.__annotations__["return"], rank.__annotations__["return"] = delivered, ranked

    @agent
    def count(found: Handoffs[Any]) -> int:
        """Count them."""
        return len(found)

    job = Job("audit", goal="Find what is risky")
    job.phase("inspect", agent=agent(inspect))
    fallback = Fallback.skip("it can be done without") if coupling == "medium" else None
    job.phase("report", agents=[agent(rank), count], needs=[Need("inspect", coupling, fallback=fallback)])
    return planned(job, NoInputs()).plan


RANK, COUNT = Consumer("report", "rank"), Consumer("report", "count")


def notices(before: Any, now: Any, coupling: str, changed: dict[Consumer, bool] | None = None) -> tuple[Finding, ...]:
    return contract_notices(plan_of(before, coupling), plan_of(now, coupling), changed or {}, "r1")


@pytest.mark.parametrize(
    ("coupling", "levels"), [("tight", ["error"]), ("medium", ["warning"]), ("loose", []), ("none", [])]
)
def test_what_follows_from_a_change_is_for_the_coupling_to_say(coupling: str, levels: list[str]) -> None:
    found = notices(finding(line=int), finding(line=str), coupling)

    assert [(one.rule, one.level) for one in found] == [("C8", level) for level in levels]


def test_a_notice_names_the_contract_its_fields_and_everybody_who_reads_it() -> None:
    (found,) = notices(finding(line=int, sure=float), finding(line=str), "tight")

    assert found.where == "inspect"
    assert found.message == (
        "contract Finding@1.0 of phase 'inspect' has changed since run r1: 'line' was integer, and is text; 'sure' is "
        "gone (it was number). rank of phase 'report', count of phase 'report' cannot do without it, and are as they "
        "were: the job is not run until they change too"
    )
    assert found.fix == (
        "change what reads it too, or take the change back; where it may read the new one as it is, say so by raising "
        "the major version: @contract(version='2.0')"
    )


@pytest.mark.parametrize("coupling", ["tight", "medium"])
@pytest.mark.parametrize(
    ("before", "now"),
    [
        (finding(line=int), finding(line=int)),
        (finding(line=int), finding(line=int, note=(str, ""))),
        (finding(line=int), finding("1.1", line=int)),
        (finding(line=int), finding("2.0", line=str)),
    ],
    ids=["no change", "an optional field more", "another minor version", "the major version was raised"],
)
def test_nobody_is_told_of_what_they_need_not_know(before: Any, now: Any, coupling: str) -> None:
    assert notices(before, now, coupling) == ()


def test_a_minor_version_that_was_raised_is_no_leave_to_break_a_contract() -> None:
    (found,) = notices(finding("1.0", line=int), finding("1.1"), "tight")

    assert "contract Finding@1.0 (now Finding@1.1) of phase 'inspect'" in found.message


def test_who_has_changed_too_is_left_out() -> None:
    (found,) = notices(finding(line=int), finding(), "tight", {RANK: True, COUNT: False})

    assert "rank" not in found.message
    assert "count of phase 'report' cannot do without it, and is as it was" in found.message
    assert notices(finding(line=int), finding(), "tight", {RANK: True, COUNT: True}) == ()


def test_who_delivers_something_else_now_has_changed() -> None:
    before, now = plan_of(finding(line=int), "tight", ranked=str), plan_of(finding(), "tight", ranked=int)
    (found,) = contract_notices(before, now, {}, "r1")

    assert "rank" not in found.message


def test_another_type_in_its_place_is_a_change() -> None:
    (found,) = notices(finding(line=int), int, "medium")

    assert "contract Finding@1.0 (now int@1.0)" in found.message
    assert "the output was object, and is integer" in found.message


def test_a_plan_from_before_fields_were_on_record_says_that_it_does_not_know() -> None:
    old = plan_of(finding(line=int), "tight").model_copy(update={"contracts": {}})
    (found,) = contract_notices(old, plan_of(finding(), "tight"), {}, "r1")

    assert "its fields before are not on record" in found.message
    assert contract_notices(old, plan_of(finding(line=int), "tight"), {}, "r1") == ()


def test_a_consumer_that_is_new_reads_the_contract_as_it_is() -> None:
    old = plan_of(finding(line=int), "tight").model_copy(update={"terms": ()})

    assert contract_notices(old, plan_of(finding(), "tight"), {}, "r1") == ()
