"""What an agent returns may give its values only once: it is read out once, before anything looks at it."""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, TypeAdapter

from echelon import Job, Outcome, agent
from echelon.contract.iterators import MAX_VALUES, read_out
from echelon.contract.json import recordable
from echelon.contract.repair import validate_lenient, validate_strict
from echelon.coordination.job_run import run_phases
from echelon.model.errors import InvalidJob
from echelon.testing.runs import a_run

NUMBERS = [0, 1, 2]


@agent
def generator() -> list[int]:
    """Yield."""
    yield from range(3)


@agent
def mapped() -> list[int]:
    """Map."""
    return map(int, "012")


@agent
def anything() -> Any:
    """Return a generator where anything is promised."""
    return (number for number in range(3))


@agent
async def lazily() -> list[int]:
    """Return a generator from a coroutine."""
    return filter(lambda _: True, range(3))


@agent
def with_more() -> Outcome[list[int]]:
    """Return a generator with more to say."""
    return Outcome(output=iter(NUMBERS))


@agent(cpu_bound=True)
def elsewhere() -> list[int]:
    """Yield in another process."""
    yield from range(3)


@agent
def zipped() -> list[tuple[int, str]]:
    """Zip."""
    return zip(range(3), "abc", strict=True)


@pytest.mark.anyio
@pytest.mark.parametrize("one", [generator, mapped, anything, lazily, with_more, elsewhere], ids=lambda one: one.name)
async def test_an_iterator_that_an_agent_returns_is_delivered_with_all_its_values(one: Any, tmp_path: Path) -> None:
    """It was an empty list, and the run completed."""
    job = Job("one", goal="Count")
    job.phase("count", agent=one)

    async with a_run(job, tmp_path) as run:
        await run_phases(run)
        [step] = run.log.state.steps

        assert run.outputs.read_json(step.handoff.output_location) == NUMBERS


@pytest.mark.parametrize("validate", [validate_strict, validate_lenient])
@pytest.mark.parametrize(
    ("type_", "value", "read"),
    [
        (dict[str, list[int]], lambda: {"rows": map(int, "012")}, {"rows": NUMBERS}),
        (list[list[int]], lambda: [iter(NUMBERS), iter([])], [NUMBERS, []]),
        (list[tuple[int, str]], lambda: zip(NUMBERS, "abc", strict=True), [(0, "a"), (1, "b"), (2, "c")]),
    ],
    ids=["in a dictionary", "in a list", "of pairs"],
)
def test_an_iterator_inside_of_what_is_delivered_is_read_out_too(
    validate: Any, type_: Any, value: Any, read: object
) -> None:
    assert validate(value(), TypeAdapter(type_)).value == read


class Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str


class Rows(BaseModel):
    rows: list[Row]


class Lazy(BaseModel):
    """As pydantic lets models be."""

    rows: Iterable[int]


def test_an_iterator_whose_values_must_be_mended_is_read_out_once() -> None:
    rows = ({"name": name, "unknown": 1} for name in "ab")

    assert validate_lenient({"rows": rows}, TypeAdapter(Rows)).value == Rows(rows=[Row(name="a"), Row(name="b")])


@pytest.mark.parametrize(
    ("type_", "value"),
    [(Any, lambda: {"rows": iter(NUMBERS)}), (Lazy, lambda: Lazy(rows=iter(NUMBERS)))],
    ids=["anything", "a lazy field"],
)
def test_what_is_another_value_at_the_second_look_is_refused(type_: Any, value: Any) -> None:
    contract = TypeAdapter(type_)

    with pytest.raises(ValueError, match="holds an iterator"):
        recordable(validate_strict(value(), contract).value, contract)


def test_an_iterator_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match=f"a count gives more than {MAX_VALUES:,} values"):
        read_out(itertools.count())


def test_an_async_generator_is_refused_where_it_is_made_an_agent() -> None:
    with pytest.raises(InvalidJob, match="'slowly' is an async generator"):

        @agent
        async def slowly() -> list[int]:
            """Yield."""
            yield 1


PLAIN = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(PLAIN)
def test_what_holds_no_iterator_is_the_very_same_value(value: object) -> None:
    assert read_out(value) is value


@given(PLAIN)
def test_what_is_read_out_is_what_the_iterator_would_have_given(value: object) -> None:
    def lazy(one: Any) -> Any:
        if isinstance(one, list):
            return map(lazy, one)
        return {key: lazy(member) for key, member in one.items()} if isinstance(one, dict) else one

    assert read_out(lazy(value)) == value
    assert not isinstance(read_out(lazy(value)), Iterator)
