"""The commands that are printed for a gate can be copied, and what does nothing twice comes first (O5)."""

import json
from datetime import timedelta

import pytest

from echelon.model.oversight.gate import GateRecord, Question, Verdict
from echelon.model.oversight.terms import Gate
from echelon.model.phrasing import moment
from echelon.visibility.gates import answer_lines, gate_facts, gate_line, ways_to_answer, what_follows
from tests.unit.engine.asking.gates import NOON, a_gate, an_action, an_answer

CUT_OFF = a_gate(question=Question.CUT_OFF, takes={"": "object", "id": "text"})
STAGED = a_gate(terms=Gate(staged=True))


@pytest.mark.parametrize(
    ("gate", "lines"),
    [
        (
            a_gate(),
            ["to do it: echelon gates approve g1 --reason WHY", "not to do it: echelon gates deny g1 --reason WHY"],
        ),
        (
            CUT_OFF,
            [
                'if it happened already: echelon gates done g1 --output JSON --reason WHY  (JSON: {"id": text})',
                "to do it again: echelon gates approve g1 --reason WHY",
                "not to do it: echelon gates deny g1 --reason WHY",
            ],
        ),
        (
            a_gate(question=Question.AGAIN, action=an_action(missing=("check/b: it failed",))),
            [
                "if it happened already: echelon gates done g1 --output JSON --reason WHY",
                "to do it again: echelon gates approve g1 --partial --reason WHY",
                "to keep what was done: echelon gates deny g1 --reason WHY",
            ],
        ),
        (
            STAGED,
            [
                "to do it: echelon gates approve g1 --reason WHY",
                "not to do it: echelon gates deny g1 --reason WHY",
                "to do all that is staged: echelon apply run --reason WHY",
            ],
        ),
    ],
)
def test_each_answer_that_is_possible_has_its_command(gate: GateRecord, lines: list[str]) -> None:
    assert answer_lines(gate) == lines


def test_a_line_for_several_gates_has_what_any_of_them_takes() -> None:
    answer = "answer: echelon gates approve ID --reason WHY (or deny)"
    done = "where it happened already: echelon gates done ID --output JSON --reason WHY"

    assert ways_to_answer([a_gate()]) == answer
    assert ways_to_answer([a_gate(), CUT_OFF]) == f"{done}; {answer}"
    assert ways_to_answer([STAGED, STAGED]) == f"to do all that is staged: echelon apply run --reason WHY; {answer}"


def test_of_an_item_only_the_fields_that_say_something_are_shown() -> None:
    item = {"id": "news", "goal": "Tell", "seconds": None, "touches": [], "irreversible": False}
    arguments = {"inputs": {"to": None}, "item": item}
    facts = dict(gate_facts(a_gate(action=an_action(arguments=arguments)), NOON))

    shown = {"inputs": {"to": None}, "item": {"id": "news", "goal": "Tell", "irreversible": False}}
    assert json.loads(facts["arguments"]) == shown


def test_what_is_staged_is_marked_where_gates_are_listed() -> None:
    assert "may it begin? staged, open since" in gate_line(STAGED, NOON)


@pytest.mark.parametrize(
    ("verdict", "ends", "said"),
    [
        ("approve", False, ""),
        ("approve", True, f"; it ends at {moment(NOON + timedelta(hours=1))}: what it allows must begin before"),
        ("deny", True, ""),
        ("done", False, "; what came of it is held to its contract and its checks when the run goes on"),
    ],
)
def test_an_answer_says_until_when_it_is_good_and_what_is_still_held_against_it(
    verdict: Verdict, ends: bool, said: str
) -> None:
    gate = a_gate(expires=NOON + timedelta(hours=1) if ends else None)

    assert what_follows(gate, an_answer(verdict=verdict)) == said
