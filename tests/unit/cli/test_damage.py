"""A row that cannot be read is shown as unreadable, and hides no other."""

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest

RUN = "survey-20260131-120000-ab12"
OTHER = "survey-20260131-110000-cd34"

#: What may be in a column that no version of ours writes, or that an older one did.
DAMAGES = {
    "no JSON": ("inputs", "{not json"),
    "half a character": ("inputs", '{"path": "caf\\udce9"}'),
    "no object": ("inputs", "[1]"),
    "another status": ("status", "vanished"),
    "no time": ("started", "noon"),
    "no time at its end": ("finished", "\x00"),
}


def alter(home: Path, statement: str, *values: object) -> None:
    [file] = home.glob("*.db")
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute(statement, values)
        connection.commit()


@pytest.fixture
def two_runs(survey, home: Path) -> None:
    """Have another run, of which only the row is there."""
    [file] = home.glob("*.db")
    with contextlib.closing(sqlite3.connect(file)) as connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(runs)")]
    others = ", ".join(name for name in names if name not in ("run_id", "number"))
    alter(home, f"INSERT INTO runs (run_id, number, {others}) SELECT ?, 99, {others} FROM runs", OTHER)


@pytest.mark.parametrize(("column", "value"), DAMAGES.values(), ids=DAMAGES)
def test_a_run_that_cannot_be_read_is_listed_as_such_beside_the_others(echelon, two_runs, home, column, value) -> None:
    alter(home, f"UPDATE runs SET {column} = ? WHERE run_id = ?", value, OTHER)

    listed = json.loads(echelon("runs", "--json").out)["runs"]
    shown = echelon("runs")

    assert {run["run_id"]: run["damage"] is None for run in listed} == {RUN: True, OTHER: False}
    assert shown.code == 0
    assert "unreadable" in shown.out
    assert RUN in shown.out
    assert echelon("show", RUN).code == 0
    assert echelon("doctor").code in (0, 1)
    refused = echelon("show", OTHER)
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith(f"echelon: a row of run '{OTHER}' in the journal cannot be read")
    assert refused.err.count("\n") == 1


def test_a_concern_that_cannot_be_read_hides_no_other(echelon, survey, home, caplog) -> None:
    before = json.loads(echelon("concerns", "--json").out)["concerns"]
    alter(home, "UPDATE events SET payload = '{}' WHERE seq = (SELECT min(seq) FROM concerns)")

    after = json.loads(echelon("concerns", "--json").out)["concerns"]

    assert len(after) == len(before) - 1
    assert f"a concern of run '{RUN}' cannot be read" in caplog.text


def test_a_run_with_an_event_that_cannot_be_read_is_refused_in_one_line(echelon, survey, home) -> None:
    alter(home, 'UPDATE events SET payload = \'{"kind": "later"}\' WHERE seq = 2')

    refused = echelon("show", RUN)

    assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert "cannot be read" in refused.err
    assert RUN in echelon("runs").out
