"""Asks for advice in the tests of advice."""

from typing import Any, get_args

from hypothesis import strategies as st

from echelon.advice.advise import advise
from echelon.advice.values import Advice, AdviceQuestion

#: The sizes at which any table changes its row, and their neighbours.
BOUNDARIES = tuple(
    sorted({n + d for n in (2, 4, 8, 9, 10, 11, 20, 21, 30, 49, 50, 64, 100, 200, 343, 512, 1000) for d in (-1, 0, 1)})
)


def asked(**said: Any) -> Advice:
    return advise(AdviceQuestion(**said))


def fields(advice: Advice, names: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(advice, name) for name in names}


def why(advice: Advice, aspect: str) -> str:
    return next(reason.text for reason in advice.reasons if reason.aspect == aspect)


def price(advice: Advice, aspect: str) -> str:
    return next(reason.price or "" for reason in advice.reasons if reason.aspect == aspect)


def questions(**fixed: Any) -> st.SearchStrategy[AdviceQuestion]:
    optional: dict[str, Any] = {
        name: st.none() | st.sampled_from(get_args(get_args(AdviceQuestion.model_fields[name].annotation)[0]))
        for name in (
            "domain_coupling",
            "priority",
            "coupling_need",
            "contract_need",
            "change_rate",
            "error_consequence",
            "situation",
            "task_duration",
            "time_horizon",
            "work",
            "predictability",
        )
    }
    optional |= {name: st.sampled_from((None, True, False)) for name in ("independent", "natural_domains")}
    optional["agents"] = st.integers(1, 2_000) | st.sampled_from((*BOUNDARIES, 10**9))
    return st.builds(AdviceQuestion, **(optional | fixed))
