"""What models cost, as published: looked up in the list that comes with the extra `llm`, without any network."""

import importlib
import logging
from collections.abc import Iterable
from types import ModuleType

from echelon.model.usage import Price

log = logging.getLogger("echelon.agents")

#: Priced by so many tokens: few enough that no surcharge for long contexts applies.
_SAMPLE_TOKENS = 1_000
_PER_MILLION = 1_000_000 // _SAMPLE_TOKENS


def published_prices(models: Iterable[str | None]) -> dict[str, Price]:
    """Return the price of each model that the list knows, in US dollars; what it does not know stays unknown.

    Prices are those of short contexts; discounts for cached input are left out.
    """
    names = sorted({model for model in models if model})
    if not names:
        return {}
    try:
        prices = importlib.import_module("genai_prices")
    except ModuleNotFoundError:
        log.info("prices are unknown without the extra 'llm'")
        return {}
    return {name: price for name in names if (price := _price(prices, name)) is not None}


def _price(prices: ModuleType, model: str) -> Price | None:
    try:
        read = prices.calc_price(prices.Usage(input_tokens=_SAMPLE_TOKENS), model)
        written = prices.calc_price(prices.Usage(output_tokens=_SAMPLE_TOKENS), model)
    except LookupError:
        return None
    return Price(
        input=round(float(read.input_price) * _PER_MILLION, 6),
        output=round(float(written.output_price) * _PER_MILLION, 6),
    )
