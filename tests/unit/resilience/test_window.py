"""The last outcomes of a dependency."""

from hypothesis import given
from hypothesis import strategies as st

from echelon.resilience.window import Window


@given(size=st.integers(1, 8), outcomes=st.lists(st.booleans(), max_size=40))
def test_a_window_knows_exactly_the_last_outcomes(size: int, outcomes: list[bool]) -> None:
    window = Window(size)
    for failed in outcomes:
        window.note(failed=failed)

    last = outcomes[-size:]
    assert (len(window), window.failures) == (len(last), sum(last))
    assert window.rate == (sum(last) / len(last) if last else 0.0)


def test_a_cleared_window_is_empty() -> None:
    window = Window(3)
    window.note(failed=True)
    window.clear()

    assert (len(window), window.failures, window.rate) == (0, 0, 0.0)
