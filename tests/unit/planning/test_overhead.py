import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.plan import Share
from echelon.planning.overhead import overhead


@pytest.mark.parametrize(
    ("n", "share"),
    # linear between the ends of each row: 13 is half of 6–20, 35.5 would be half of 21–50.
    [
        (0, 0.0),
        (1, 0.0),
        (2, 0.10),
        (5, 0.15),
        (6, 0.15),
        (13, 0.20),
        (20, 0.25),
        (21, 0.25),
        (50, 0.35),
        (51, 0.35),
        (1000, 0.40),
        (60_000, 0.40),
    ],
)
def test_expected_overhead_is_read_from_the_position_in_the_row(n: int, share: float):
    assert overhead(n).predicted == share


@given(st.integers(0, 5000))
def test_expected_overhead_lies_in_its_band_and_never_falls(n: int):
    expected = overhead(n)

    assert expected.band.low <= expected.predicted <= expected.band.high
    assert expected.predicted <= overhead(n + 1).predicted


def test_the_band_is_the_one_of_the_profile():
    assert overhead(30).band == Share(low=0.25, high=0.35)
