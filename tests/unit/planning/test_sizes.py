import pytest

from echelon.model.graph import TaskSpec
from echelon.model.priors import Priors
from echelon.planning.sizes import TOLD, size_findings
from tests.unit.planning.building import uses


def sized(*tokens: int | None) -> list[TaskSpec]:
    return [TaskSpec(id=f"t{i}", goal="look", tokens=size) for i, size in enumerate(tokens)]


@pytest.mark.parametrize(
    ("tokens", "part"),
    [
        pytest.param(19_999, "over-decomposed: 19,999 tokens fill 10.0%", id="D5 below 10%"),
        pytest.param(20_000, None, id="D5 10%"),
        pytest.param(180_000, None, id="D5 90%"),
        pytest.param(180_001, "under-decomposed: 180,001 tokens are 90%", id="D5 above 90%"),
        pytest.param(None, None, id="D5 unknown"),
    ],
)
def test_a_task_is_measured_against_the_context(tokens: int | None, part: str | None):
    found = size_findings(sized(tokens, 100_000), Priors())

    assert [finding.message.startswith(part) for finding in found] == ([True] if part else [])


def test_a_merge_is_proposed_with_the_smallest_neighbour_that_has_room():
    small, large, other = sized(1_000, 150_000, 30_000)
    large = large.model_copy(update={"depends_on": uses("t0")})
    other = other.model_copy(update={"depends_on": uses("t0")})
    (finding,) = size_findings([small, large, other], Priors())

    assert finding.fix == "merge it with 't2': together 31,000 tokens"


def test_a_task_without_neighbours_is_merged_within_its_team():
    (finding,) = size_findings(sized(1_000, 100_000), Priors())

    assert finding.fix == "merge it with another small task of its team"


def test_a_split_says_into_how_many_parts():
    # 500,000 tokens in contexts filled to 160,000: four parts.
    (finding,) = size_findings(sized(500_000, 100_000), Priors())

    assert finding.fix == "split it into 4 tasks of about 125,000 tokens"


def test_a_single_agent_is_never_too_small():
    assert size_findings(sized(10), Priors()) == ()


def test_many_findings_alike_are_told_once():
    found = size_findings(sized(*[10] * 1_000), Priors())

    assert len(found) == TOLD + 1
    assert "980 more tasks" in found[-1].message
