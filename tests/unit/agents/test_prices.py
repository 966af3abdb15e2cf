import pytest

from echelon.agents.prices import published_prices

pytest.importorskip("genai_prices", reason="the extra 'llm' is not installed")


def test_a_known_model_has_a_price_for_reading_and_a_higher_one_for_writing():
    (price,) = published_prices(["gpt-4o"]).values()

    assert 0 < price.input < price.output
    assert price.currency == "USD"


def test_what_is_not_listed_stays_unknown():
    assert published_prices(["a-model-nobody-sells", None]) == {}


def test_every_model_is_looked_up_once():
    assert list(published_prices(["gpt-4o", "gpt-4o-mini", "gpt-4o"])) == ["gpt-4o", "gpt-4o-mini"]
