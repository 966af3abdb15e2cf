"""Whatever text comes in, through whatever door: the run is recorded, and everything that shows it can be read."""

import contextlib
import io
import json
import logging
import os
import re
import string
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.sides import clean_environment
from echelon.cli.main import main

#: Where text comes in.
DOORS = ("printed", "logged", "about", "message", "evidence", "field", "output", "summary", "next", "error")

#: What has broken programs that print, write files, draw pages, or keep JSON.
NASTY = (
    *("\ud800", "\udce9", "caf\udce9", "\x00", "a\x00b", "\x1b[2J\x1b]0;owned\x07", "\r\nHTTP", "\x7f\x9b31m"),
    *("\u202egnp.exe", "\u2028\u2029", "\ufeff", "\uffff", "\U0010ffff", "e\u0301" * 40, "[bold red]x[/]", "[/"),
    *("</script><script>", "{{7*7}}", "${x}", "%s%n", "'; DROP TABLE runs;--", "```\n# Task\n", "../../../etc/passwd"),
    *("CON", "-", "--json", "", " ", "\t", "🙂" * 1000, "\n" * 5000, "a" * 2**20),
)
text = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(exclude_categories=()), max_size=40),
    st.builds("".join, st.lists(st.sampled_from(NASTY[:-3]), min_size=2, max_size=4)),
)

#: Most of what is refused is refused at the first door, so that the others would hardly be seen.
plain = kinds = st.text(string.ascii_letters, min_size=1, max_size=8)

#: What a terminal obeys, but for the ends of lines that we print ourselves.
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def environment(folder: str) -> dict[str, str]:
    return clean_environment(ECHELON_HOME=f"{folder}/home", ECHELON_PICTURE="false")


def call(*arguments: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _unheard():
        code = main(arguments)
    return code, out.getvalue(), err.getvalue()


@contextlib.contextmanager
def _unheard() -> Iterator[None]:
    """Keep what agents log from pytest, which would report it, and cannot pass halves of characters on."""
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, []
    try:
        yield
    finally:
        root.handlers = handlers


def shown(run: str) -> dict[str, tuple[int, str, str]]:
    """Return what each command that shows a run says."""
    commands = [
        ("runs",),
        ("runs", "--json"),
        ("show", run),
        ("show", run, "--json"),
        ("show", run, "--output"),
        ("show", run, "fail/fails", "--log"),
        ("exceptions", run),
        ("concerns",),
        ("concerns", "--json"),
        ("measures", run),
        ("doctor",),
    ]
    return {" ".join(command): call(*command) for command in commands}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    told=st.fixed_dictionaries(
        dict.fromkeys(DOORS, text)
        | {
            "kind": st.text(string.ascii_letters, min_size=1, max_size=8),
            "items": st.lists(text, min_size=1, max_size=3),
        }
    ),
    parameter=plain | text,
)
def test_any_text_is_recorded_or_refused_in_a_sentence_and_everything_can_be_shown(
    told: dict[str, Any], parameter: str
) -> None:
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, environment(folder), clear=True):
        Path(folder, "told.json").write_text(json.dumps(told))
        job, file = "tests.security.text_doors_job:fuzz", f"file={folder}/told.json"

        code, out, err = call("run", job, "--param", file, "--param", f"text={parameter}", "--json")

        assert code in (1, 2, 3), err
        assert "unexpected error" not in err
        assert not OBEYED.search(err)
        if code == 2:
            assert err.startswith("echelon: ")
            assert "text_doors_job" not in err
        else:
            document = json.loads(out)
            assert document["launched"] == document["returned"] + len(document["missing"])
        [run] = [one["run_id"] for one in json.loads(call("runs", "--json")[1])["runs"]] or ["none"]
        if run == "none":
            return
        for command, (ended, said, complaint) in shown(run).items():
            assert ended in (0, 1), (command, complaint)
            assert "unexpected error" not in complaint, (command, complaint)
            assert not OBEYED.search(said + complaint), command
            if "--json" in command:
                json.loads(said)
