import pytest

from echelon.model.graph import TaskSpec
from echelon.model.plan import Range
from echelon.model.usage import Price
from echelon.planning.spending import spending

PRICES = {"small": Price(input=1, output=4), "large": Price(input=10, output=50)}


def work(*parts: tuple[str | None, int | None]) -> list[TaskSpec]:
    return [TaskSpec(id=f"t{i}", goal="look", model=m, tokens=size) for i, (m, size) in enumerate(parts)]


def test_unknown_tokens_stay_unknown():
    made = spending(work(("small", None)), 5, PRICES)

    assert (made.work_tokens, made.coordination_tokens, made.tokens, made.cost) == (None, None, None, None)


def test_tokens_are_those_of_the_tasks_and_of_the_handoffs():
    made = spending(work(("small", 100_000), ("small", None)), 3, PRICES)

    # One task says 100,000, the other is taken for 50,000; three handoffs of 10 to 30 thousand (P4).
    assert (made.work_tokens, made.assumed) == (150_000, 1)
    assert made.coordination_tokens == Range(low=30_000, high=90_000)
    assert made.tokens == Range(low=180_000, high=240_000)


def test_the_cost_lies_between_reading_and_writing_everything():
    made = spending(work(("small", 1_000_000), ("large", 1_000_000)), 100, PRICES)

    # Low: 1 + 10, and a million of coordination read at the cheapest.
    # High: 4 + 50, and three million of it written at the dearest.
    assert made.cost == Range(low=12, high=204)
    assert (made.currency, made.unpriced) == ("USD", ())


@pytest.mark.parametrize(
    ("models", "unpriced"), [(("small", None), ("unknown",)), (("small", "new", "newer"), ("new", "newer"))]
)
def test_a_model_without_a_price_makes_the_cost_unknown_and_is_named(models: tuple, unpriced: tuple):
    made = spending(work(*((model, 1_000) for model in models)), 1, PRICES)

    assert (made.cost, made.currency, made.unpriced) == (None, None, unpriced)


def test_two_currencies_have_no_sum():
    prices = {"small": PRICES["small"], "large": Price(input=1, output=2, currency="EUR")}

    assert spending(work(("small", 10), ("large", 10)), 0, prices).cost is None
