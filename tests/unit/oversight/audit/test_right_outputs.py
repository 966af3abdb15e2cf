"""No right output is rejected, however it is written: found by trying to (O4)."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter

from echelon import Complete, Key, Remark
from echelon.model.audit.audit import AuditKind
from echelon.oversight.audit.examining import examine
from tests.unit.oversight.audit.building import part, whole


class Note(BaseModel):
    """Something of which much is not known at first."""

    name: Annotated[str, Key()]
    remark: Annotated[str, Remark()] = ""
    score: float = 0.5
    rank: int | None = None
    detail: str | None = None


class Notes(BaseModel):
    notes: Annotated[list[Note], Complete()]


class Place(BaseModel):
    """Two keys, both of which may hold what parts them."""

    repo: Annotated[str, Key()]
    path: Annotated[str, Key()]
    lines: int = 0


class Places(BaseModel):
    places: Annotated[list[Place], Complete()]


class PlaceNames(BaseModel):
    names: Annotated[list[tuple[str, str]], Complete(of=Place)]


class PlaceTexts(BaseModel):
    names: Annotated[list[str], Complete(of=Place)]


@dataclass(slots=True)
class Slotted:
    name: Annotated[str, Key()]
    lines: int = 0


class Entry(NamedTuple):
    name: Annotated[str, Key()]
    lines: int = 0


class Lazy(BaseModel):
    name: Annotated[str, Key()]

    @cached_property
    def shown(self) -> str:
        """Is kept beside the fields once somebody has asked for it."""
        return f"<{self.name}>"


def shown(lazy: Lazy) -> Lazy:
    assert lazy.shown
    return lazy


ONE, OTHER = Place(repo="a/b", path="c", lines=1), Place(repo="a", path="b/c", lines=2)
PLACES = (part(ONE), part(OTHER, "look/b"))


def note(**said: Any) -> Note:
    return Note(name="n", **said)


@pytest.mark.parametrize(
    ("made", "parts"),
    [
        pytest.param(Notes(notes=[note(remark="in my words")]), [part(note(remark="in theirs"))], id="remark"),
        pytest.param([note(remark="one"), note(remark="two")], [part(note())], id="two remarks"),
        pytest.param(Notes(notes=[note(score=math.nan)]), [part(note(score=math.nan))], id="no number"),
        pytest.param(Notes(notes=[note(score=0.3)]), [part(note(score=0.1 + 0.2))], id="arithmetic"),
        pytest.param(Notes(notes=[note(score=0.67)]), [part(note(score=2 / 3))], id="rounded"),
        pytest.param(Notes(notes=[note(score=17.0)]), [part(note(score=16.8))], id="rounded to a whole"),
        pytest.param(Notes(notes=[note(rank=1)]), [part(note())], id="worked out"),
        pytest.param(Notes(notes=[note()]), [part(note(detail="long"))], id="left open"),
        pytest.param([note(detail="x"), note(rank=1)], [part(note(detail="x", rank=1))], id="in two halves"),
        pytest.param(Notes(notes=[note(detail="a b")]), [part(note(detail=" a  b\n"))], id="white space"),
        pytest.param(Notes(notes=[Note(name="\u00e9")]), [part(Note(name="e\u0301"))], id="one letter"),
        pytest.param(Places(places=[ONE, OTHER]), PLACES, id="keys with what joins them"),
        pytest.param(PlaceNames(names=[("a/b", "c"), ("a", "b/c")]), PLACES, id="keys alone"),
        pytest.param(PlaceTexts(names=["a/b/c"]), PLACES, id="keys as one text"),
        pytest.param([Slotted("s", 1)], [part(Slotted("s", 1))], id="without a dict"),
        pytest.param([Entry("e", 1)], [part(Entry("e", 1))], id="named tuple"),
        pytest.param([shown(Lazy(name="l"))], [part(Lazy(name="l"))], id="worked out and kept"),
    ],
)
def test_a_right_output_is_not_rejected_for_how_it_is_written(made: object, parts: Iterable[Any]) -> None:
    assert examine(whole(made, *parts)) == ()


class Colour(Enum):
    RED = "red"


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

KEYS: list[tuple[Any, Any]] = [
    (Path, Path("src/a.py")),
    (UUID, UUID(int=7)),
    (datetime, NOON),
    (date, date(2026, 1, 1)),
    (Decimal, Decimal("1.50")),
    (float, 1.5),
    (bytes, b"x"),
    (Colour, Colour.RED),
    (int, 3),
    (frozenset[str], frozenset({"a", "b"})),
]


@pytest.mark.parametrize(("kind", "key"), KEYS)
def test_keys_alone_are_found_whatever_type_they_have(kind: Any, key: Any) -> None:
    class Thing(BaseModel):
        key: Annotated[kind, Key()]  # pyright: ignore[reportInvalidTypeForm] - one of several

    class Alone(BaseModel):
        keys: Annotated[list[kind], Complete(of=Thing)]  # pyright: ignore[reportInvalidTypeForm] - likewise

    class Written(BaseModel):
        keys: Annotated[list[Any], Complete(of=Thing)]

    made = part(Thing(key=key))
    as_json = TypeAdapter(kind).dump_python(key, mode="json")

    assert examine(whole(Alone(keys=[key]), made)) == ()
    assert examine(whole(Written(keys=[as_json]), made)) == ()
    assert [one.kind for one in examine(whole(Alone(keys=[]), made))] == [AuditKind.GAP]


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (datetime, NOON, NOON.astimezone(timezone(timedelta(hours=5)))),
        (Decimal, Decimal("1.0"), Decimal("1.00")),
        (float, 0.3, 0.1 + 0.2),
        (float | int, 1, 1.0),
    ],
)
def test_two_ways_to_write_a_key_are_one_key(kind: Any, one: Any, other: Any) -> None:
    class Thing(BaseModel):
        key: Annotated[kind, Key()]  # pyright: ignore[reportInvalidTypeForm] - one of several

    class Things(BaseModel):
        things: Annotated[list[Thing], Complete()]

    assert examine(whole(Things(things=[Thing(key=one)]), part(Thing(key=other)))) == ()


class Table(BaseModel):
    notes: Annotated[dict[str, Note], Complete()] = {}


class Maybe(BaseModel):
    notes: Annotated[list[Note], Complete()] | None = None


class Kinds(BaseModel):
    both: Annotated[list[Note | Place], Complete()] = []


class Names(BaseModel):
    names: Annotated[set[str], Complete(of=Note)] = set()


@pytest.mark.parametrize("made", [Table(), Maybe(notes=[]), Kinds(), Names()])
def test_a_mark_counts_wherever_it_may_be_written(made: object) -> None:
    """What was not seen there before was a promise that nobody held anybody to."""
    assert [one.kind for one in examine(whole(made, part(note())))] == [AuditKind.GAP]


@pytest.mark.parametrize(
    "made", [Table(notes={"n": note()}), Maybe(notes=[note()]), Maybe(), Kinds(both=[note()]), Names(names={"n"})]
)
def test_what_is_complete_there_is_not_rejected(made: object) -> None:
    assert examine(whole(made, part(note()))) == ()


@pytest.mark.parametrize(
    ("said", "known"),
    [(0.3, 0.36), (1.0, 0.6), (0.0, 0.4), (0.67, 0.66), (17.0, 18.1)],
)
def test_another_number_is_another_number(said: float, known: float) -> None:
    (found,) = examine(whole(Notes(notes=[note(score=said)]), part(note(score=known))))

    assert found.kind is AuditKind.CONTRADICTION


def test_the_third_of_several_answers_is_compared_with_all_before() -> None:
    (found,) = examine(whole([note(detail="x"), note(rank=1), note(rank=2)], part("")))

    assert found.kind is AuditKind.TWO_ANSWERS


def examined(place: Place) -> tuple[str, ...]:
    """Return what tells one place from another: letters count, and not how they are stored."""
    return tuple(text.replace("e\u0301", "\u00e9") for text in (place.repo, place.path))


names = st.text("ab/%\u00e9e\u0301", min_size=1, max_size=4)
places = st.builds(Place, repo=names, path=names, lines=st.integers(0, 3))


@given(st.lists(places, unique_by=examined, max_size=6), st.data())
def test_whatever_its_keys_are_a_faithful_list_is_never_rejected(made: list[Place], data: Any) -> None:
    kept = data.draw(st.permutations(made))
    parts = [part(one, f"look/{number}") for number, one in enumerate(made)]

    assert examine(whole(Places(places=kept), *parts)) == ()
    assert examine(whole(PlaceNames(names=[(one.repo, one.path) for one in kept]), *parts)) == ()


scores = st.floats(-1e6, 1e6, allow_nan=False)


@given(scores, st.integers(1, 8))
def test_a_rounded_number_is_never_a_contradiction(score: float, digits: int) -> None:
    made = Notes(notes=[note(score=round(score, digits))])

    assert examine(whole(made, part(note(score=score)))) == ()
