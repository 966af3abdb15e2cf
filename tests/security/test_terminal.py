"""Texts of others are shown by a terminal, never obeyed: names, ids, messages, and what models say."""

import io
import json

import pytest
from rich.console import Console, Group
from rich.panel import Panel
from rich.text import Text

from echelon.cli.views import output
from echelon.model.phrasing import printable, printable_json

#: Clears the screen, sets the title, answers for the user, goes back, turns the direction, hides a line.
TRAPS = ["\x1b[2J", "\x1b]0;owned\x07", "\x9b2J", "\r", "\b\b", "\u202e", "\u2066", "\u200f", "\x7f", "\x00", "\u2028"]

OBEYED = {character for trap in TRAPS for character in trap if not character.isprintable()}


@pytest.mark.parametrize("trap", TRAPS, ids=ascii)
def test_a_console_writes_out_what_a_terminal_would_obey(capsys: pytest.CaptureFixture[str], trap: str) -> None:
    console = output.out()
    table = output.table("name", "what")
    table.add_row(f"a{trap}b", Text(f"styled {trap}", style="bold red"))

    console.print(f"plain {trap}")
    console.print(Group(table, Panel(f"nested {trap}")))
    output.facts(console, [("name", f"value {trap}")])

    shown = capsys.readouterr().out
    assert not OBEYED & set(shown)
    assert "plain " in shown


def test_what_the_console_itself_tells_the_terminal_stays() -> None:
    stream = io.StringIO()
    console = output._SafeConsole(file=stream, force_terminal=True, color_system="standard", width=80)
    console.print(Text("bold", style="bold"))
    console.show_cursor(False)

    assert "\x1b[1m" in stream.getvalue()
    assert "\x1b[?25l" in stream.getvalue()


@pytest.mark.parametrize("trap", TRAPS, ids=ascii)
def test_json_means_the_same_and_shows_nothing_that_is_obeyed(capsys: pytest.CaptureFixture[str], trap: str) -> None:
    output.print_json({f"key {trap}": [f"value {trap}"]})

    shown = capsys.readouterr().out
    assert not OBEYED & set(shown)
    assert json.loads(shown) == {f"key {trap}": [f"value {trap}"]}


def test_half_a_character_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json({"key": "\ud800"})

    assert json.loads(capsys.readouterr().out) == {"key": "\ud800"}
    assert printable("\udfff").encode() == b"\\udfff"


def test_ordinary_text_stays_as_it_is() -> None:
    text = "größer, 大, 🎉, e\u0301, tab\tand\nline"

    assert (printable(text), printable_json(json.dumps(text, ensure_ascii=False))) == (
        text,
        json.dumps(text, ensure_ascii=False),
    )


def test_every_console_of_the_command_line_is_a_safe_one() -> None:
    assert isinstance(output.out(), output._SafeConsole)
    assert isinstance(output.err(), output._SafeConsole)
    assert issubclass(output._SafeConsole, Console)
