import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from echelon.journal.digest import canonical_json, digest_of
from echelon.model.errors import InvalidInput
from echelon.model.graph import Dependency

TEXT = st.text(max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
)


@settings(deadline=None)  # machines are busy
@given(st.dictionaries(TEXT, JSON))
def test_the_order_of_keys_does_not_matter(inputs):
    backwards = dict(reversed(list(inputs.items())))

    assert digest_of(backwards) == digest_of(inputs)


@pytest.mark.parametrize(("one", "other"), [({"a": 1}, {"a": "1"}), ({"a": 1}, {"b": 1}), ([1, 2], [2, 1]), ({}, None)])
def test_different_inputs_have_different_digests(one, other):
    assert digest_of(one) != digest_of(other)


def test_a_digest_stays_the_same_between_versions():
    """Runs of yesterday are found by it."""
    expected = "2badff2fb2517ea8295ba68277ea9e415a1408447b27e6e675ba8874a04826cb"

    assert digest_of({"path": "src", "depth": 3}) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"b": 1, "a": "ü"}, b'{"a":"\\u00fc","b":1}'),
        ({"path": Path("src")}, b'{"path":"src"}'),
        ({"at": datetime(2026, 1, 1, tzinfo=UTC)}, b'{"at":"2026-01-01T00:00:00Z"}'),
        (Dependency(task="t"), b'{"coupling":"loose","reason":"","task":"t"}'),
        (("a", 1), b'["a",1]'),
    ],
)
def test_models_paths_and_times_have_a_canonical_form(value, expected):
    assert canonical_json(value) == expected


class Tagged(BaseModel):
    tags: set[str]


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_sets_have_one_digest_in_every_process(seed):
    """Their order depends on the hash seed of the process."""
    code = (
        "from echelon.journal.digest import digest_of; from pydantic import BaseModel\n"
        "class Tagged(BaseModel):\n    tags: set[str]\n"
        "print(digest_of([Tagged(tags={'a', 'b', 'c', 'd'})]))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    printed = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)

    assert printed.stdout.strip() == digest_of([Tagged(tags={"d", "c", "b", "a"})])


@pytest.mark.parametrize("value", [{"a": float("nan")}, {"a": object()}])
def test_what_is_no_json_is_refused(value):
    with pytest.raises(InvalidInput, match="cannot be written as JSON"):
        digest_of(value)


@pytest.mark.parametrize("value", [{1: 1, "1": 2}, {"a": [{None: 1, "None": 2}]}, {True: 1, "true": 2}], ids=str)
def test_keys_that_are_one_in_json_are_refused(value):
    """Two values would have one digest, which is the identity of a task."""
    with pytest.raises(InvalidInput, match="one and the same text"):
        digest_of(value)
