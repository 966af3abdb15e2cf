"""F4: what a run used is totalled, in all and by phase and model; unknown is never zero."""

import pytest

from echelon.model.costs.measures import Measures, Spent
from echelon.model.run import StepRecord
from echelon.model.usage import Usage
from echelon.runlog.costs.measures import measure
from echelon.testing.run_events import step_record
from echelon.visibility.spent import money, spent_line, total_line


def measured(*steps: tuple[str, str | None, Usage]) -> Measures:
    return measure([_step(number, *step) for number, step in enumerate(steps)], seconds=1)


def _step(number: int, phase: str, model: str | None, usage: Usage) -> StepRecord:
    step = step_record(f"{phase}/{number}", phase=phase)
    return step.model_copy(update={"model": model, "handoff": step.handoff.model_copy(update={"usage": usage})})


def used(read: int | None, written: int | None, cost: float | None = None) -> Usage:
    return Usage(tokens_in=read, tokens_out=written, calls=1, cost=cost)


def test_what_was_used_is_added_up_by_phase_and_model() -> None:
    found = measured(
        ("inspect", "small", used(1_000, 50, 0.002)),
        ("inspect", "small", used(2_000, 60, 0.004)),
        ("inspect", "large", used(500, 10, 0.5)),
        ("inspect", None, used(None, None)),
        ("judge", "large", used(7, 3)),
    )

    assert (found.tokens, found.cost) == (3_630, pytest.approx(0.506))
    assert [(one.phase, one.model, one.usage.tokens, one.usage.calls) for one in found.spent] == [
        ("inspect", "small", 3_110, 2),
        ("inspect", "large", 510, 1),
        ("judge", "large", 10, 1),
    ]
    assert total_line(found, "USD") == "3,630 tokens, 0.51 USD, and what has no price"
    assert [spent_line(one, "USD") for one in found.spent] == [
        "inspect, small: 3,110 tokens (3,000 read, 110 written), 2 calls, 0.006 USD",
        "inspect, large: 510 tokens (500 read, 10 written), 1 call, 0.5 USD",
        "judge, large: 10 tokens (7 read, 3 written), 1 call, cost not known",
    ]


def test_where_nothing_was_reported_nothing_is_said() -> None:
    found = measured(("inspect", None, used(None, None)))

    assert (found.tokens, found.cost, found.spent) == (None, None, ())
    assert total_line(found) == ""


def test_a_command_that_says_only_what_it_cost_is_counted() -> None:
    found = measured(("fix", None, used(None, None, 1.5)))

    assert total_line(found) == "tokens not known, cost 1.50"
    assert spent_line(found.spent[0]) == "fix, without a model: tokens not known, 1 call, cost 1.50"


@pytest.mark.parametrize(
    ("cost", "text"),
    [
        (None, "cost not known"),
        (0.0, "cost 0.00"),
        (0.000123, "cost 0.00012"),
        (12.345, "cost 12.35"),
        (1e6, "cost 1,000,000.00"),
    ],
)
def test_money_has_digits_enough(cost: float | None, text: str) -> None:
    assert money(cost) == text


def test_phases_and_models_are_in_the_json_of_a_run() -> None:
    (one,) = measured(("judge", "large", used(7, 3))).model_dump(mode="json")["spent"]

    assert one == Spent(phase="judge", model="large", usage=used(7, 3)).model_dump(mode="json")
