"""What a breaker did reads as one sentence."""

import pytest

from echelon.model.breaker_news import BreakerNews, Turn


@pytest.mark.parametrize(
    ("turn", "given", "message"),
    [
        (
            Turn.OPENED,
            {"reason": "5 failures in a row", "trips": 1, "trial_in_seconds": 30.0},
            "breaker 'openai' is open, calls are refused: 5 failures in a row; next probe in 30.0 s",
        ),
        (
            Turn.OPENED,
            {"reason": "it failed", "trips": 2, "trial_in_seconds": 60.0},
            "breaker 'openai' is open, calls are refused: it failed, 2 times in a row now; next probe in 60.0 s",
        ),
        (
            Turn.ISOLATED,
            {"reason": "isolated by ann: it moves"},
            "breaker 'openai' is isolated by ann: it moves; calls are refused until it is reset",
        ),
        (Turn.TRYING, {"reason": "they failed"}, "breaker 'openai' lets probes through: they failed"),
        (Turn.CLOSED, {}, "breaker 'openai' is closed, calls are let through again"),
        (Turn.PANIC, {"reason": "3 of 4 refuse"}, "breaker 'openai' lets all calls through: 3 of 4 refuse"),
        (Turn.MEASURED, {"reason": "metrics only"}, "breaker 'openai' lets all calls through: metrics only"),
        (Turn.RELIEVED, {}, "breaker 'openai' has no reason to refuse calls any more"),
        (Turn.LEFT, {}, "breaker 'openai' is not used any more"),
        # what a provider said is quoted as it is, whatever is in it
        (Turn.TRYING, {"reason": "{0} {broken"}, "breaker 'openai' lets probes through: {0} {broken"),
    ],
)
def test_a_turn_is_said_in_one_sentence(turn: Turn, given: dict[str, object], message: str) -> None:
    news = BreakerNews.model_validate({"name": "openai", "turn": turn, "state": "open"} | given)

    assert news.message == message


def test_every_turn_has_its_sentence() -> None:
    assert all(BreakerNews(name="x", turn=turn, state="open").message for turn in Turn)
