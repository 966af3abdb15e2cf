"""A job is checked while it is written: each contradiction has one line that says what and where."""

from typing import Any

import pytest
from pydantic import BaseModel

from echelon import Handoffs, Job, Resilience, agent, command, integrator
from echelon.agents.fallback import Fallback
from echelon.definition.definition import default_key
from echelon.definition.need import Need
from echelon.model.errors import InvalidInput, InvalidJob
from echelon.model.graph import Coupling
from echelon.model.policy import DEFAULT_ATTEMPTS


class Inputs(BaseModel):
    path: str
    depth: int = 3


class File(BaseModel):
    path: str


@agent
async def look(item: str) -> int:
    return len(item)


@agent
async def rank(path: str) -> str:
    return path


@agent
async def count(path: str) -> int:
    return len(path)


@agent
async def spell(item: str) -> str:
    return item


@agent(effect="irreversible")
async def launch(path: str) -> str:
    return path


@integrator
async def merge(seen: Handoffs[int]) -> list[int]:
    return seen.outputs()


@integrator
async def merge_words(seen: Handoffs[str]) -> str:
    return "".join(seen.outputs())


@merge.combine
async def combine_words(merged: Handoffs[str]) -> str:
    return "".join(merged.outputs())


@merge.combine
async def combine_to_words(merged: Handoffs[list[int]]) -> str:
    return str(merged.outputs())


def found(path: str) -> list[str]:
    return [path]


async def found_later(path: str) -> list[str]:
    return [path]


def plain(path: str) -> str:
    return path


def job(**options: Any) -> Job:
    return Job("survey", goal="Look around", inputs=Inputs, **options)


@pytest.mark.parametrize(
    ("phase", "complaint"),
    [
        ({}, "exactly one of `agent`, `agents` or `each`; it has 0"),
        ({"agent": rank, "agents": [rank]}, "it has 2"),
        ({"agent": plain}, "is not an agent; put @agent on the function"),
        ({"agents": [rank, rank]}, "two agents called 'rank'"),
        ({"each": look}, "`each` and `over` go together"),
        ({"agent": rank, "over": found}, "`each` and `over` go together"),
        ({"each": look, "over": found_later}, "`over` must be a plain function"),
        ({"each": look, "over": lambda colour: []}, "nothing gives its parameter 'colour' a value"),
        ({"agent": look}, "nothing gives its parameter 'item' a value"),
        ({"agent": rank, "name": "a/b"}, "may only have letters, digits, '-' and '_'"),
        ({"agent": rank, "integrate": merge}, "'rank' makes str, but 'merge' integrates int"),
        ({"each": look, "over": found, "integrate": merge_words}, "'look' makes int, but 'merge_words' integrates str"),
        ({"each": look, "over": found, "integrate": combine_words}, "'merge' makes list"),
        ({"each": look, "over": found, "integrate": combine_to_words}, "'combine_to_words' makes str"),
        ({"agent": command(["cat", "{file}"])}, "nothing gives {file} a value"),
    ],
)
def test_a_phase_that_contradicts_itself_is_refused_where_it_is_written(phase: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InvalidJob) as refused:
        job().phase(**({"name": "try"} | phase))

    assert complaint in str(refused.value)


@pytest.mark.parametrize(
    ("phase", "complaint"),
    [
        pytest.param({"needs": {"look": "close"}}, "'close' is not a coupling (those are: tight, medium", id="D3-word"),
        pytest.param({"needs": {"look": "medium"}}, "is medium and has no fallback", id="F2-medium"),
        pytest.param({"needs": ["look", "look"]}, "needs 'look' twice", id="D3-twice"),
        pytest.param({"needs": lambda: Need("look", timeout=0)}, "timeout is 0 s", id="C4-timeout"),
        pytest.param(
            {"needs": lambda: Need("look", fallback=rank)},
            "give it to phase 'look' itself",
            id="F2-need-agent",
        ),
        pytest.param(
            {"needs": lambda: Need("look", fallback=Fallback.default("x"))},
            "the default 'x' does not fit what 'look' makes",
            id="F2-need-default",
        ),
        pytest.param(
            {"needs": lambda: Need("look", fallback=Fallback.default("3"))},
            "the default '3' does not fit what 'look' makes",
            id="C5-need-default-of-another-kind",
        ),
        pytest.param(
            {"fallback": Fallback.default("\ud800")}, "does not fit what 'rank' makes", id="C3-default-without-a-form"
        ),
        pytest.param(
            {"fallback": Fallback.default(1)}, "the default 1 does not fit what 'rank' makes", id="F2-default"
        ),
        pytest.param({"fallback": Fallback.skip(" ")}, "skip needs a note", id="F2-skip"),
        pytest.param({"fallback": [Fallback.skip("x"), rank]}, "'agent' would never be tried", id="F2-order"),
        pytest.param(
            {"fallback": count}, "'count' must keep the contract of 'rank', and makes int, but", id="F2-contract"
        ),
        pytest.param({"fallback": spell}, "nothing gives its parameter 'item' a value", id="F2-binding"),
        pytest.param({"fallback": plain}, "is not an agent; put @agent on the function", id="F2-no-agent"),
        pytest.param({"agent": launch, "fallback": rank}, "'rank' might do again", id="F2-irreversible"),
    ],
)
def test_a_need_or_a_fallback_that_cannot_hold_is_refused_where_it_is_written(
    phase: dict[str, Any], complaint: str
) -> None:
    survey = job()
    survey.phase("look", each=look, over=found)
    with pytest.raises(InvalidJob) as refused:
        survey.phase(**({"name": "rank", "agent": rank} | {key: _made(value) for key, value in phase.items()}))

    assert complaint in str(refused.value)


def _made(value: Any) -> Any:
    return value() if getattr(value, "__name__", "") == "<lambda>" else value


@pytest.mark.parametrize(
    ("given", "coupling"),
    [
        ("look", None),
        (["look"], None),
        ({"look": "tight"}, Coupling.TIGHT),
        (Need("look", "loose"), Coupling.LOOSE),
        ([Need("look", fallback=Fallback.last_good())], Coupling.MEDIUM),
    ],
    ids=["D3-name", "D3-names", "D3-mapping", "D3-need", "D3-with-fallback"],
)
def test_a_need_may_be_a_name_and_may_say_more(given: Any, coupling: Coupling | None) -> None:
    survey = job()
    survey.phase("look", each=look, over=found)
    survey.phase("rank", agent=rank, needs=given)

    assert survey.phases["rank"].needs == ("look",)
    assert survey.phases["rank"].need("look").coupling is coupling


def test_an_agent_has_its_own_fallback_before_that_of_its_phase() -> None:
    own = agent(fallback=Fallback.skip("mine"))(rank.function)
    survey = job()
    survey.phase("rank", agents=[own, agent(name="other")(rank.function)], fallback=Fallback.skip("ours"))

    notes = {name: [one.note for one in tried] for name, tried in survey.phases["rank"].fallbacks.items()}
    assert notes == {"rank": ["mine"], "other": ["ours"]}


def test_phases_have_names_of_their_own_and_jobs_too() -> None:
    survey = job()
    survey.phase("look", each=look, over=found)
    with pytest.raises(InvalidJob, match="two phases called 'look'"):
        survey.phase("look", agent=rank)
    with pytest.raises(InvalidJob, match="job name 'a b'"):
        Job("a b", goal="x")


def test_defaults_of_a_job_are_complete_so_that_every_call_is_guarded() -> None:
    defaults = job(defaults=Resilience(timeout_seconds=9)).defaults

    assert (defaults.timeout_seconds, defaults.attempts) == (9, DEFAULT_ATTEMPTS)


@pytest.mark.parametrize(("item", "key"), [(File(path="a.py"), "a.py"), ("a.py", "a.py"), (7, "7")])
def test_an_item_is_named_by_what_identifies_it(item: Any, key: str) -> None:
    assert default_key(item) == key


def test_a_plan_is_made_without_anything_being_run() -> None:
    def explode(path: str) -> int:
        raise AssertionError("planning must not run agents")

    survey = job()
    survey.phase("look", each=agent(explode, name="look"), over=lambda depth: [str(n) for n in range(depth)])
    survey.phase("rank", agent=rank, needs="look")

    plan = survey.plan(path="src", depth=12)

    assert (plan.n_agents, [phase.name for phase in plan.phases]) == (13, ["look", "rank"])
    assert plan == survey.plan(path="src", depth=12)
    assert plan.digest != survey.plan(path="src", depth=11).digest


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, "'path'"),
        ({"path": "x", "colour": 1}, "unknown parameter 'colour'"),
        ({"path": "x", "depth": "x"}, "'depth'"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_before_anything_runs(given: dict[str, Any], complaint: str) -> None:
    survey = job()
    survey.phase("rank", agent=rank)
    with pytest.raises(InvalidInput, match=complaint):
        survey.plan(**given)
