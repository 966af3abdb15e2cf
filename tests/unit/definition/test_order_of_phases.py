"""X12: in which order phases are added means nothing; what a phase waits for is what it needs."""

import itertools

import pytest

from echelon import Handoffs, Job, agent
from echelon.definition.definition import NoInputs
from echelon.definition.planned import planned
from echelon.model.errors import InvalidJob


@agent
async def count() -> int:
    return 1


@agent
async def double(count: Handoffs[int]) -> int:
    return 2 * sum(count.outputs())


@agent
async def tell(double: Handoffs[int], count: Handoffs[int]) -> str:
    return f"{count.outputs()} {double.outputs()}"


PHASES = {
    "count": {"agent": count},
    "double": {"agent": double, "needs": "count"},
    "tell": {"agent": tell, "needs": ["double", "count"]},
}


def job_of(*names: str) -> Job:
    job = Job("numbers", goal="Count")
    for name in names:
        job.phase(name, **PHASES[name])
    return job


@pytest.mark.parametrize("names", [*itertools.permutations(PHASES)])
def test_the_plan_is_the_same_whatever_the_order(names: tuple[str, ...]) -> None:
    made, expected = (planned(job_of(*order), NoInputs()).plan for order in (names, PHASES))

    assert made == expected
    assert {phase.name: phase.needs for phase in made.phases} == {
        "count": (),
        "double": ("count",),
        "tell": ("count", "double"),
    }


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (("double",), "phase 'double' needs 'count', which is no phase of job 'numbers' (those are: none)"),
        (("tell", "count"), "phase 'tell' needs 'double', which is no phase of job 'numbers' (those are: count)"),
    ],
)
def test_a_phase_that_is_needed_and_not_there_is_named_before_anything_runs(
    names: tuple[str, ...], complaint: str
) -> None:
    job = job_of(*names)

    with pytest.raises(InvalidJob) as refused:
        job.plan()

    assert complaint in str(refused.value)


def test_a_cycle_of_phases_is_refused_with_its_way() -> None:
    job = Job("numbers", goal="Count")
    job.phase("count", agent=count)
    job.phase("a", agent=agent(nothing, name="a"), needs=["b", "count"])
    job.phase("b", agent=agent(nothing, name="b"), needs="c")
    job.phase("c", agent=agent(nothing, name="c"), needs="a")

    with pytest.raises(InvalidJob) as refused:
        job.plan()

    assert "phases wait for each other: 'a' needs 'b' needs 'c' needs 'a'" in str(refused.value)


async def nothing() -> int:
    return 0


def test_a_phase_that_needs_itself_is_refused_where_it_is_written() -> None:
    job = Job("numbers", goal="Count")

    with pytest.raises(InvalidJob, match="needs itself; to do it again, give it `repeat=`"):
        job.phase("count", agent=count, needs="count")


def test_what_does_not_fit_is_refused_as_soon_as_both_phases_are_there() -> None:
    @agent
    async def words() -> str:
        return ""

    job = Job("numbers", goal="Count")
    job.phase("double", agent=double, needs="count")

    with pytest.raises(InvalidJob, match="'double' receives from phase 'count', where 'words' makes"):
        job.phase("count", agent=words)
