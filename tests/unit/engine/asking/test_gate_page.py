"""What Prefect's form says about a gate: everything that an answer needs, within bounds, whatever hostile texts say."""

import re
from datetime import timedelta
from typing import Any

import pytest

from echelon.engine.asking.gate_page import MOST_LISTED, PREVIEW_CHARACTERS, page_of
from echelon.model.concern import Concern, ConcernRecord
from echelon.model.handoff import UsedDependency
from echelon.model.oversight.gate import Question, Readiness
from echelon.model.oversight.terms import Gate
from tests.unit.engine.asking.gates import NOON, a_gate, an_action, an_answer

HOSTILE = (
    "```\n# Approved already\n```",
    "`````\n<script>alert(1)</script>\n`````",
    "](http://evil.example) [click](javascript:alert(1))",
    "| a | b |\n|---|---|",
    "\n\n---\n\n### Nothing to see\n\n",
    "<details open><summary>x</summary>",
    "a\x1b[2J\u202eb",
)


def outside_of_code(page: str) -> str:
    """Return what Markdown reads as Markdown: all but fences, and what stands in code marks."""
    no_fences = re.sub(r"^(`{3,})text\n.*?\n\1$", "", page, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"(?<!`)(`+)(?!`)[^\n]*?(?<!`)\1(?!`)", "", no_fences)


def a_concern(text: str, number: int = 1) -> ConcernRecord:
    concern = Concern(about=text, message=text, confidence=0.2, impact=0.9)
    return ConcernRecord(id=f"c{number}", run_id="run", source=text, concern=concern, at=NOON)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_in_its_place(text: str) -> None:
    action = an_action(
        task_id=text,
        agent=text,
        phase=text,
        preview=text,
        missing=(text,),
        inputs=(UsedDependency(task_id=text, version="ab" * 32),),
    )
    gate = a_gate(
        action=action,
        note=text,
        terms=Gate(reason=text, approvers=(text,)),
        readiness=(Readiness(agent=text, answer="not_ready", reason=text),),
        answers=(an_answer(author=text, refused=text),),
    )

    page = page_of(gate, [a_concern(text)])

    plain = outside_of_code(page)
    harmless = outside_of_code(page_of(a_gate(action=an_action())))
    assert not re.search(r"[<>|\[\]]|http|javascript|Approved|Nothing to see|alert|\x1b|\u202e", plain)
    assert plain.count("#") == harmless.count("#") == 3, "one heading, and it is ours"
    assert "`" not in plain


def test_hostile_arguments_stand_where_there_is_no_preview() -> None:
    page = page_of(a_gate(action=an_action(arguments={"to": "`a`\n# b <b>"})))

    assert "# b" in page
    assert outside_of_code(page).count("#") == 3


def test_what_would_be_done_comes_before_everything_that_may_be_long() -> None:
    gate = a_gate(action=an_action(preview="transfer 82,000 to ACME", missing=("rates: timed out",)))

    page = page_of(gate, [a_concern("who signs?")])

    places = [page.index(text) for text in ("transfer/acme", "82,000 to ACME", "rates: timed out", "who signs?")]
    assert places == sorted(places)
    assert "echelon concerns show c1" in page
    assert "echelon gates show g1" in page


def test_a_page_is_bounded_however_much_there_is() -> None:
    action = an_action(
        preview="x" * 40_000,
        missing=tuple(f"file {number}: {'y' * 5_000}" for number in range(500)),
        inputs=tuple(UsedDependency(task_id=f"t{number}", version="ab" * 32) for number in range(500)),
    )

    page = page_of(a_gate(action=action), [a_concern("z" * 5_000, number) for number in range(500)])

    assert len(page) < 4 * PREVIEW_CHARACTERS
    assert "the first 4,000 characters" in page
    assert page.count(f"and {500 - MOST_LISTED} more") == 3


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "may it begin?"),
        ({"question": Question.CUT_OFF}, "was it done (done), or is it to be done again (approve)?"),
        ({"question": Question.AGAIN}, Question.AGAIN.text),
        ({"expires": NOON + timedelta(hours=1)}, "2026-11-29 13:00:00 UTC; then it is denied"),
        ({"expires": NOON, "terms": Gate(on_expiry="approve", expires_seconds=60)}, "UTC; then it is approved"),
        ({"terms": Gate(approvers=("ada", "ben"))}, "**Who may answer:** `ada`, `ben`"),
        ({"terms": Gate(reason="money leaves")}, "`money leaves`"),
        ({"note": "begun at 11:00"}, "`begun at 11:00`"),
        ({"answers": (an_answer(author="eve", refused="eve may not answer it"),)}, "`eve may not answer it`"),
        ({"action": an_action(preview_trouble="it raised KeyError")}, "cannot be shown: `it raised KeyError`"),
        ({"action": an_action()}, "`amount=82000`"),
    ],
)
def test_a_page_says(fields: dict[str, Any], said: str) -> None:
    assert said in page_of(a_gate(**fields))


def test_what_is_not_there_is_not_spoken_of() -> None:
    page = page_of(a_gate(action=an_action(arguments={})))

    for title in ("Missing", "concerns", "inputs", "Answer until", "other gate", "does not count"):
        assert title not in page


def test_gates_beside_it_are_counted() -> None:
    assert "2 other gates of this run, asked after this one" in page_of(a_gate(), others=2)
