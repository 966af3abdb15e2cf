"""How much of a conversation is kept: no half of a character or of a secret, and what is left out is counted."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.agents.transcript.bounds import MARGIN_BYTES, bounded, first_kept, shares
from echelon.redaction import redact

KEY = "sk-abcdefghij0123456789"


def same(text: str) -> str:
    return text


@pytest.mark.parametrize(
    ("text", "limit", "kept", "beyond"),
    [
        ("", 5, "", 0),
        ("hello", 5, "hello", 0),
        ("hello you", 5, "hello", 4),
        ("größer", 3, "gr", 6),  # ö takes two bytes: g r ö ö ß ß e r
        ("größer", 4, "grö", 4),
        ("a\ud800b", 20, "a\\ud800b", 0),  # half a character is written out
        ("x" * (2 * MARGIN_BYTES), 10, "x" * 10, 2 * MARGIN_BYTES - 10),
    ],
)
def test_a_text_is_kept_up_to_a_bound_in_bytes(text: str, limit: int, kept: str, beyond: int) -> None:
    found = bounded(text, limit, same)

    assert (found.data.decode(), found.beyond) == (kept, beyond)


@pytest.mark.parametrize("before", [0, 5, 90, 99, 100, MARGIN_BYTES + 80, MARGIN_BYTES + 100])
def test_no_part_of_a_secret_is_kept_wherever_the_text_is_cut(before: int) -> None:
    kept = bounded("-" * before + " " + KEY + " " + "-" * 3 * MARGIN_BYTES, 100, redact).data.decode()

    assert "abcde" not in kept
    assert 80 < len(kept) <= 100


def test_what_is_taken_out_does_not_bring_half_a_secret_into_the_bound() -> None:
    """Thousands of keys become one word each, so that the end of what was read moves forward to the bound."""
    keys = f"{KEY} " * 2 * MARGIN_BYTES

    assert "abcde" not in bounded(keys, MARGIN_BYTES, redact).data.decode()


@given(st.text(max_size=300), st.integers(0, 200))
def test_what_is_kept_and_what_is_left_out_are_the_whole(text: str, limit: int) -> None:
    found = bounded(text, limit, same)

    assert len(found.data) <= limit
    assert len(found.data) + found.beyond == len(text.encode("utf-8", "backslashreplace"))


@pytest.mark.parametrize(
    ("wanted", "total", "given_"),
    [
        ([], 10, []),
        ([3, 4], 10, [3, 4]),
        ([10, 500, 300], 210, [10, 100, 100]),
        ([500, 1, 500, 1], 102, [50, 1, 50, 1]),
        ([5, 5], 0, [0, 0]),
    ],
)
def test_a_short_part_is_kept_whole_beside_long_ones(wanted: list[int], total: int, given_: list[int]) -> None:
    assert shares(wanted, total) == given_


@pytest.mark.parametrize(
    ("sizes", "total", "kept"),
    [
        ([], 10, 1),
        ([5], 10, 1),
        ([5, 5], 10, 1),
        ([4, 3, 3, 3], 10, 2),  # 4 + 3 + 3: the second is left out
        ([4, 1, 9, 3], 10, 3),  # nothing stands alone in the middle
        ([10, 1], 10, 2),
    ],
)
def test_the_beginning_and_the_end_of_a_conversation_are_kept(sizes: Sequence[int], total: int, kept: int) -> None:
    assert first_kept(sizes, total) == kept
