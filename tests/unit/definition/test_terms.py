"""What consumers may rely on is stated before anything runs: versions, timeouts, retries (C4, C7)."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel

from echelon import Handoffs, Job, Resilience, agent, integrator
from echelon.agents.fallback import Fallback
from echelon.contract.version import contract, contract_name
from echelon.definition.need import Need
from echelon.definition.terms import terms_of
from echelon.model.errors import InvalidJob
from echelon.model.graph import Coupling
from echelon.model.policy import DEFAULT_ATTEMPTS, DEFAULT_TIMEOUT_SECONDS


def finding(version: str) -> type[BaseModel]:
    return contract(version=version)(
        type("Finding", (BaseModel,), {"__annotations__": {"path": str}, "__module__": f"v{version}"})
    )


ONE, ONE_MORE, TWO = finding("1.0"), finding("1.4"), finding("2.0")


def maker(made: Any) -> Any:
    def look() -> None: ...

    look.__annotations__["return"] = made
    return agent(look)


def consumer(wanted: Any, parameter: str = "look") -> Any:
    def rank(**_: Any) -> int:
        return 0

    def by_name(look: Any) -> int:
        return len(look)

    def of_all(everything: Any) -> int:
        return len(everything)

    function = {"look": by_name, "everything": of_all}.get(parameter, rank)
    function.__annotations__[parameter] = wanted
    return agent(function, name="rank")


def job(made: Any, wanted: Any, parameter: str = "look", **options: Any) -> Job:
    made_job = Job("survey", goal="Look around", **options)
    made_job.phase("look", agent=maker(made))
    made_job.phase("rank", agent=consumer(wanted, parameter), needs="look")
    return made_job


@pytest.mark.parametrize("parameter", ["look", "everything"])
@pytest.mark.parametrize(
    ("made", "wanted", "said"),
    [
        (TWO, Handoffs[ONE], "'look' makes Finding 2.0 (of v2.0), but it is built for Finding 1.0 (of v1.0)"),
        (ONE, Handoffs[TWO], "another major version"),
        (int, Handoffs[str], "'rank' receives from phase 'look', where 'look' makes int, but it is built for str"),
    ],
    ids=["C7-older", "C7-newer", "C1-another-type"],
)
def test_a_consumer_of_something_else_is_refused_before_anything_runs(
    made: Any, wanted: Any, said: str, parameter: str
) -> None:
    with pytest.raises(InvalidJob) as refused:
        job(made, wanted, parameter)

    assert said in str(refused.value)


@pytest.mark.parametrize("wanted", [Handoffs[ONE], Handoffs[ONE_MORE], Handoffs[Any], Handoffs])
def test_a_consumer_of_another_minor_version_is_taken(wanted: Any) -> None:
    assert job(ONE, wanted).plan().n_agents == 2


@integrator
async def merge(seen: Handoffs[int]) -> str:
    return ""


def test_behind_an_integrator_its_result_counts() -> None:
    made_job = Job("survey", goal="Look around")
    made_job.phase("look", agent=maker(int), integrate=merge)
    with pytest.raises(InvalidJob, match="'merge' makes str, but it is built for int"):
        made_job.phase("rank", agent=consumer(Handoffs[int]), needs="look")
    made_job.phase("rank", agent=consumer(Handoffs[str]), needs="look")


def test_the_usual_terms_are_shown_as_nobodys_word() -> None:
    look, rank = terms_of(job(ONE, Handoffs[ONE]))

    assert (look.needs, look.contracts, look.delivers) == (None, (), contract_name(ONE))
    assert (rank.phase, rank.consumer, rank.needs, rank.contracts) == ("rank", "rank", "look", (contract_name(ONE),))
    assert (rank.timeout_seconds, rank.timeout_stated) == (DEFAULT_TIMEOUT_SECONDS, "usual")
    assert (rank.attempts, rank.attempts_stated) == (DEFAULT_ATTEMPTS, "usual")
    assert (rank.strictness, rank.strictness_stated) == ("strict", "usual")


def test_each_term_says_where_it_was_stated() -> None:
    @agent(timeout=9)
    def count() -> int:
        return 0

    made_job = Job("survey", goal="Look around", defaults=Resilience(contract="flexible"))
    made_job.phase("count", agent=count, resilience=Resilience(attempts=2, timeout_seconds=5))
    (terms,) = made_job.plan().terms

    assert (terms.timeout_seconds, terms.timeout_stated) == (9, "agent")
    assert (terms.attempts, terms.attempts_stated) == (2, "phase")
    assert (terms.strictness, terms.strictness_stated) == ("flexible", "job")


@pytest.mark.parametrize(
    ("need", "coupling", "missing"),
    [
        (Need("look"), None, "continues with what is there; does not start when nothing is"),
        (Need("look", "tight", reason="it ranks all"), Coupling.TIGHT, "does not start"),
        (Need("look", "loose"), Coupling.LOOSE, "continues with what is there"),
        (
            Need("look", fallback=[Fallback.last_good(), Fallback.skip("it is old")], timeout=60),
            Coupling.MEDIUM,
            "works with the fallback: last good, then skip (it is old)",
        ),
    ],
    ids=["C4-unstated", "C4-tight", "C4-loose", "C4-medium"],
)
def test_each_dependency_has_its_coupling_and_what_happens_without_it(
    need: Need, coupling: Coupling | None, missing: str
) -> None:
    made_job = Job("survey", goal="Look around")
    made_job.phase("look", agent=maker(int))
    made_job.phase("rank", agent=consumer(Handoffs[int]), needs=[need], fallback=Fallback.default(7))
    rank = terms_of(made_job)[-1]

    assert (rank.coupling, rank.when_missing, rank.wait_seconds) == (coupling, missing, need.timeout)
    assert rank.stands_in == ("default",)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        pytest.param(ONE_MORE, None, id="C7-minor"),
        pytest.param(TWO, "'other' must keep the contract of 'look', and makes Finding 2.0 (of v2.0)", id="C7-major"),
        pytest.param(list[ONE], "and makes list[Finding], but it is built for Finding", id="C7-another"),
    ],
)
def test_another_agent_stands_in_where_its_contract_fits(made: Any, said: str | None) -> None:
    survey, other = Job("survey", goal="Look around"), replace(maker(made), name="other")
    if said is None:
        survey.phase("look", agent=maker(ONE), fallback=other)

        assert [one.other.name for one in survey.phases["look"].fallbacks["look"]] == ["other"]
        return
    with pytest.raises(InvalidJob) as refused:
        survey.phase("look", agent=maker(ONE), fallback=other)

    assert said in str(refused.value)
