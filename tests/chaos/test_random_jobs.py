"""X12, F8: jobs of every shape, killed anywhere, come to the same end as if nobody had killed them."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.chaos.conftest import EVERY_PASSAGE, Place
from tests.chaos.jobs.random_job import NAME, ROUNDS, Description, Shape
from tests.chaos.victims import Ended

#: Jobs that are tried, each killed twice at places that are drawn.
EXAMPLES = 150 if EVERY_PASSAGE else 8

COUPLINGS = ("", "", "loose", "tight", "medium")


@st.composite
def shapes(draw: st.DrawFn, name: str, before: list[str]) -> Shape:
    """Draw a phase behind some of those before it."""
    needed = draw(st.lists(st.sampled_from(before), unique=True, max_size=2)) if before else []
    kind = draw(st.sampled_from(("single", "each", "found") if needed else ("single", "each")))
    items = 1 if kind == "single" else draw(st.integers(0 if kind == "found" else 1, 5))
    passes_in = draw(st.sampled_from((None, None, 1, 2, ROUNDS, ROUNDS + 1)))
    fails = draw(st.lists(st.integers(0, items - 1), unique=True, max_size=2)) if items > 1 else []
    return Shape(
        name=name,
        needs=tuple((one, draw(st.sampled_from(COUPLINGS))) for one in needed),
        kind=kind,
        items=items,
        wanted=draw(st.sampled_from((None, None, None, True, False))),
        passes_in=passes_in,
        whole=passes_in is not None and draw(st.booleans()),
        fails=tuple(fails),
        integrates=kind != "single" and draw(st.booleans()),
    )


@st.composite
def descriptions(draw: st.DrawFn) -> Description:
    """Draw a job of some phases, two of which may be repeated together."""
    phases: list[Shape] = []
    for number in range(draw(st.integers(1, 5))):
        phases.append(draw(shapes(f"p{number}", [one.name for one in phases])))
    pairs = [(one.needs[0][0], one.name) for one in phases if len(one.needs) == 1]
    if not pairs or draw(st.booleans()):
        return Description(phases=tuple(phases))
    loop = draw(st.sampled_from(pairs))
    once = [replace(one, whole=False) if one.name in loop else one for one in phases]
    if _leaves_and_comes_back(loop, once):
        return Description(phases=tuple(phases))
    return Description(phases=tuple(once), loop=loop, loop_passes_in=draw(st.integers(1, ROUNDS + 1)))


def _leaves_and_comes_back(loop: tuple[str, str], phases: list[Shape]) -> bool:
    """Say whether a phase outside stands between the two, which is refused."""
    last = next(one for one in phases if one.name == loop[1])
    return len(last.needs) > 1


def _compared(ended: Ended) -> Ended:
    """Return how a run ended; what stands in for something lost is on record again each time it is gone on with."""
    return replace(ended, run_id="", completed=tuple(sorted(set(ended.completed))))


_NUMBERS = iter(range(1_000_000))


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # processes for each: to shrink one takes too long
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(description=descriptions(), where=st.lists(st.floats(0, 1), min_size=2, max_size=2))
def test_a_random_job_that_is_killed_twice_ends_as_if_it_had_not_been(
    place: Place, description: Description, where: list[float]
) -> None:
    number = next(_NUMBERS)
    whole, killed = (f"random-{number}-{what}" for what in ("whole", "killed"))
    for scenario in (whole, killed):
        description.write(place.world(scenario).folder)
    passed = place.passages(whole, job=NAME)
    expected = place.errand(whole, job=NAME)  # what is over is over: nothing changes when it is gone on with

    assert expected.exit_code == 0, expected.output
    for share in where:
        place.errand(killed, f"*:{1 + int(share * (len(passed) - 1))}", job=NAME)
    ended = place.errand(killed, job=NAME)
    assert _compared(ended) == _compared(expected)
    assert [
        task for task in place.world(killed).asked_again() if task.partition("/")[0] not in _renamed(description)
    ] == []


def _renamed(description: Description) -> set[str]:
    """Return the phases whose agents are asked again under the same name: what always fails, and rounds in a loop."""
    return {one.name for one in description.phases if one.fails or (one.passes_in and one.name in description.loop)}


pytestmark = pytest.mark.timeout(900)
