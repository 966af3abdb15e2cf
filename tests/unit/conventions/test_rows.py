"""K: every sentence of the conventions is walked to the code that keeps it, and to a test that shows it at work."""

import ast
import pkgutil
import re
from functools import cache
from pathlib import Path

import pytest

from echelon.conventions.brief import brief_conventions
from echelon.conventions.facts import AGENTS, Audience, BriefReader, Facts
from echelon.conventions.page import NOTHING_TO_DO, TO_PEOPLE, TOLD, conventions
from echelon.conventions.row import Aspect, Row, always
from echelon.conventions.to_agents import TO_AGENTS
from tests.unit.conventions.kept_by import KEPT_BY
from tests.unit.conventions.plans import KNOWN

ROOT = Path(__file__).parents[3]
HEADINGS = {*(aspect.value for aspect in Aspect), *TOLD.values()}

ROWS = {row.id: row for row in (*TO_PEOPLE, *TO_AGENTS)}


def test_every_row_has_a_name_of_its_own() -> None:
    assert len(ROWS) == len(TO_PEOPLE) + len(TO_AGENTS)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_what_keeps_a_sentence_is_there(row: Row) -> None:
    found = pkgutil.resolve_name(row.mechanism)

    assert row.mechanism.startswith("echelon.")
    assert not row.mechanism.startswith("echelon.conventions")
    assert isinstance(found, type | dict) or callable(found), "a place alone keeps nothing"


@cache
def found_in(file: str) -> frozenset[str]:
    nodes = ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8")))
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_row_is_seen_to_be_kept_and_no_other_is() -> None:
    assert KEPT_BY.keys() == ROWS.keys()


@pytest.mark.parametrize("test", sorted({test for tests in KEPT_BY.values() for test in tests}))
def test_what_shows_it_at_work_is_there(test: str) -> None:
    file, _, name = test.partition("::")

    assert name in found_in(file)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_sentence_is_said_where_its_mechanism_is_switched_on_and_only_there(row: Row) -> None:
    said = {name: row.lines(facts) for name, facts in KNOWN.items()}

    assert any(said.values())
    assert row.when is always or not all(said.values())
    assert all(said[name] == () for name, facts in KNOWN.items() if not row.when(facts))
    assert all(said[name] for name, facts in KNOWN.items() if row.when(facts)), "a row that holds says something"


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_sentence_stands_on_one_line_and_ends(row: Row) -> None:
    lines = [line for facts in KNOWN.values() for line in row.lines(facts)]

    assert all(len(line.splitlines()) == 1 and line.endswith(".") for line in lines)


def readers(facts: Facts) -> list[BriefReader]:
    phases = ["", *(phase.name for phase in facts.phases)]
    return [
        BriefReader(audience, speaks, phase, receives, does_task)
        for audience in sorted(AGENTS)
        for speaks in (True, False)
        for phase in phases
        for receives in (True, False)
        for does_task in (True, False)
    ]


def sentences_of(facts: Facts) -> list[str]:
    """Return all that rows say of these facts, the longest first: one may be a part of another."""
    said = [line for row in TO_PEOPLE for line in row.lines(facts)]
    for audience in facts.job.agents:
        said += brief_conventions(facts, BriefReader(audience, audience in facts.job.speaking))
    return sorted(said, key=len, reverse=True)


def unsaid(line: str, said: list[str]) -> str:
    """Return what is left of a line of a page without its heading and what rows say."""
    heading = re.match(r"## (.+)|- \*\*(.+?):\*\* ", line)
    rest = line.removeprefix("- ")
    if heading and (heading[1] or heading[2]) in HEADINGS:
        rest = line[heading.end() :]
    for sentence in said:
        rest = rest.replace(sentence, "")
    return rest.strip()


@pytest.mark.parametrize("facts", KNOWN.values(), ids=KNOWN)
def test_all_that_is_said_is_made_of_rows(facts: Facts) -> None:
    said, lines = sentences_of(facts), conventions(facts).splitlines()
    body = [line for line in lines[1:] if not line.startswith("Job: ") and line != NOTHING_TO_DO]

    assert [rest for line in body if (rest := unsaid(line, said))] == []
    assert not facts.agents or all(any(sentence in line for line in body) for sentence in said)


@pytest.mark.parametrize("facts", KNOWN.values(), ids=KNOWN)
def test_a_brief_is_made_of_rows_for_whoever_gets_it(facts: Facts) -> None:
    for reader in readers(facts):
        told = facts.told_to(reader)
        for line in brief_conventions(facts, reader):
            rows = [row for row in TO_AGENTS if line in row.lines(told)]
            assert [reader.audience in row.audience and Audience.PERSON not in row.audience for row in rows] == [True]
