"""What is wrong with an integration is found, and what keeps its promises is never rejected (O4)."""

from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from echelon import Complete, Key
from echelon.model.audit.audit import AuditKind
from echelon.oversight.audit.examining import AuditedWhole, examine
from tests.unit.oversight.audit.building import Found, Ranked, Risk, Summary, part, risk, whole, worry

TWO = (part(Found(risks=[risk(1)])), part(Found(item="b", risks=[risk(2, "high")]), "look/b"))


class Names(BaseModel):
    """A list of the keys alone."""

    names: Annotated[list[str], Complete(of=Found)]


class Package(BaseModel):
    """Something that several parts speak of, each with a list of its own."""

    name: Annotated[str, Key()]
    owner: str = ""
    files: list[str] = []


class Packages(BaseModel):
    packages: list[Package]


WRONG: list[tuple[str, AuditedWhole, AuditKind, str]] = [
    (
        "a key of a part is left out",
        whole(Summary(risks=[risk(1)]), *TWO),
        AuditKind.GAP,
        "risks lacks Risk 'a.py/2', which look/b has",
    ),
    ("everything is left out", whole(Summary(), TWO[0]), AuditKind.GAP, "risks lacks Risk 'a.py/1', which look/a has"),
    ("a key alone is left out", whole(Names(names=["a"]), *TWO), AuditKind.GAP, "names lacks Found 'b', which look/b"),
    (
        "a word of a part is turned round",
        whole(Summary(risks=[risk(1), risk(2)]), *TWO),
        AuditKind.CONTRADICTION,
        "risks[1] says in severity of Risk 'a.py/2' what no part says",
    ),
    (
        "one key has two answers",
        whole(Summary(risks=[risk(1), risk(1, "high")]), part(Found(risks=[risk(1), risk(1, "high")]))),
        AuditKind.TWO_ANSWERS,
        "risks[0] and risks[1] say different things of Risk 'a.py/1'",
    ),
    (
        "a concern is dropped",
        whole(Summary(), part(Found(concerns=[worry()]))),
        AuditKind.DROPPED_CONCERN,
        "a concern of look/a is not in it: locks.py: the lock is taken twice",
    ),
    (
        "a concern is worded down",
        whole(Summary(concerns=[worry("all is well")]), part(Found(concerns=[worry()]))),
        AuditKind.DROPPED_CONCERN,
        "the lock is taken twice",
    ),
    (
        "a word is not in the vocabulary",
        whole({"rows": [{"severity": "dreadful"}]}, severity=["low", "high"]),
        AuditKind.WRONG_WORD,
        "rows[0].severity is 'dreadful', which is no word of severity (low, high)",
    ),
    (
        "a part is newer than what was used",
        whole(Summary(), part(Found(), newest="v2")),
        AuditKind.STALE_INPUT,
        "it was made from look/a as it was before; a newer version is on record",
    ),
    (
        "a part is a copy of its sibling",
        whole(Summary(), part(Found(item="b"), alike=("b",))),
        AuditKind.COPIED,
        "look/a is what was made for 'b', and says so itself",
    ),
    (
        "it says that nothing is missing",
        whole(Summary(whole=True), missing=["look/c"]),
        AuditKind.CLAIMS_COMPLETE,
        "whole says that nothing is missing, and it lacks look/c",
    ),
]


@pytest.mark.parametrize(("what", "made", "kind", "said"), WRONG, ids=[row[0].replace(" ", "-") for row in WRONG])
def test_what_breaks_a_promise_is_found(what: str, made: AuditedWhole, kind: AuditKind, said: str) -> None:
    found = examine(made)

    assert [one.kind for one in found] == [kind], what
    assert said in found[0].said


RIGHT: list[tuple[str, AuditedWhole]] = [
    ("it has everything, and more", whole(Summary(risks=[risk(1), risk(2, "high"), risk(3)]), *TWO)),
    (
        "lists of a key are put together",
        whole(Summary(risks=[risk(1, notes=["x", "y"])]), part(Found(risks=[risk(1)]))),
    ),
    (
        "another type may say something else of a key",
        whole(Summary(risks=[risk(1)], ranked=[Ranked(file="a.py", line=1, rank=7)]), TWO[0]),
    ),
    (
        "a part that contradicts another one is followed",
        whole(
            Summary(risks=[risk(1, "high")]),
            part(Found(risks=[risk(1)])),
            part(Found(risks=[risk(1, "high")]), "look/b"),
        ),
    ),
    (
        "what promises nothing may leave out all",
        whole(Packages(packages=[]), part(Packages(packages=[Package(name="p")]))),
    ),
    ("a table without a vocabulary holds any word", whole({"severity": "dreadful"})),
    ("a text without a contract", whole("nothing to say", *TWO)),
    (
        "missing parts are no fault of what does not deny them",
        whole(Summary(risks=[risk(1)]), TWO[0], missing=["look/c"]),
    ),
    ("two items may come to the same", whole(Summary(), part(Found(item=""), alike=("b",)))),
    ("a result about its own item", whole(Summary(), part(Found(item="a"), alike=("a", "b")))),
    ("a flag that is not set", whole(Summary(whole=False), missing=["look/c"])),
    ("nothing at all", whole(None)),
]


@pytest.mark.parametrize(("what", "made"), RIGHT, ids=[row[0].replace(" ", "-") for row in RIGHT])
def test_what_keeps_its_promises_is_not_rejected(what: str, made: AuditedWhole) -> None:
    assert examine(made) == (), what


risks = st.builds(Risk, file=st.sampled_from(["a.py", "b.py"]), line=st.integers(1, 5), notes=st.lists(st.text()))
founds = st.builds(
    Found, item=st.text(), risks=st.lists(risks), concerns=st.lists(st.builds(worry, st.text(min_size=1)))
)


@given(st.lists(founds, max_size=6), st.data())
def test_no_integration_that_carries_what_its_parts_say_is_rejected(made: list[Found], data: Any) -> None:
    """Whatever the parts are: in whatever order, with more of its own, and with one answer for each key."""
    parts = [part(one, f"look/{number}") for number, one in enumerate(made)]
    first = {(one.file, one.line): one for found in made for one in found.risks}
    more = data.draw(
        st.lists(st.builds(Risk, file=st.just("new.py"), line=st.integers()), unique_by=lambda one: one.line)
    )
    carried = data.draw(st.permutations([*first.values(), *more]))
    concerns = [one for found in made for one in found.concerns]
    summary = Summary(risks=carried, concerns=[*concerns, worry("mine")], whole=True)

    assert examine(whole(summary, *parts)) == ()


@given(st.lists(risks, min_size=1, unique_by=lambda one: (one.file, one.line)), st.data())
def test_whatever_key_is_left_out_is_found(made: list[Risk], data: Any) -> None:
    lost = data.draw(st.sampled_from(made))
    summary = Summary(risks=[one for one in made if one is not lost])
    (found,) = examine(whole(summary, part(Found(risks=made))))

    assert found.kind is AuditKind.GAP
    assert f"'{lost.file}/{lost.line}'" in found.said


def test_what_nobody_has_marked_is_looked_at_only_where_an_audit_is_stated() -> None:
    """A summary may leave a concern out: it is in the ledger (O1)."""
    made = whole(Summary(risks=[], concerns=[]), part(Found(risks=[], concerns=[worry("the lock")])))

    assert [one.kind for one in examine(made)] == [AuditKind.DROPPED_CONCERN]
    assert examine(made, is_stated=False) == ()
