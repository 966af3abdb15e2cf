"""The whole error of an agent is what its author needs: own code and causes, without secrets, within bounds (V2)."""

from collections.abc import Callable

import pytest

from echelon.contract.tracebacks import MAX_CHARACTERS, traceback_of
from echelon.journal.admission import choose_run
from echelon.model.errors import AgentFailed


def raised(work: Callable[[], object]) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is
        work()
    return caught.value


def look_up() -> str:
    try:
        return {}["nothing"]
    except KeyError as error:
        raise ValueError("the key sk-abcdefghij0123456789 is refused\x1b[2J") from error


def test_it_has_the_code_it_came_through_and_its_cause() -> None:
    whole = traceback_of(raised(look_up))

    assert "in look_up" in whole
    assert whole.index("KeyError: 'nothing'") < whole.index("ValueError: the key")


def test_it_has_no_secrets_and_nothing_that_a_terminal_obeys() -> None:
    whole = traceback_of(raised(look_up))

    assert "the key [secret] is refused" in whole
    assert "sk-abcdefghij" not in whole
    assert "\x1b" not in whole


def test_frames_of_ours_are_left_out() -> None:
    def fail() -> None:
        choose_run("r9", [])

    whole = traceback_of(raised(fail))

    assert "in fail" in whole
    assert "in choose_run" not in whole


def test_an_error_without_any_frame_is_its_last_line() -> None:
    assert traceback_of(AgentFailed("no")) == "echelon.model.errors.AgentFailed: no"


def test_what_is_too_long_keeps_its_beginning_and_its_end() -> None:
    whole = traceback_of(ValueError("x" * 100_000 + " the end"))

    assert len(whole) < MAX_CHARACTERS + 100
    assert whole.startswith("ValueError: xxx")
    assert "characters left out" in whole
    assert whole.endswith("the end")


def test_an_error_that_cannot_say_what_it_is_costs_nothing() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert "Mute: <exception str() failed>" in traceback_of(Mute())
