"""The last outcomes of a dependency."""

from hypothesis import given
from hypothesis import strategies as st

from echelon.resilience.breaker.window import Window


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


@given(
    size=st.integers(1, 8),
    seconds=st.integers(1, 10),
    outcomes=st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.booleans()), min_size=1, max_size=40),
)
def test_a_window_of_time_knows_exactly_what_is_young_enough(
    size: int, seconds: int, outcomes: list[tuple[int, bool, bool]]
) -> None:
    window, now = Window(size, seconds), 0.0
    seen: list[tuple[float, bool, bool]] = []
    for later, failed, slow in outcomes:
        now += later
        window.note(failed=failed, slow=slow, at=now)
        seen.append((now, failed, slow))

    young = [outcome for outcome in seen[-size:] if outcome[0] > now - seconds]
    assert (len(window), window.failures) == (len(young), sum(failed for _, failed, _ in young))
    assert window.slow_rate == sum(slow for _, _, slow in young) / len(young)
