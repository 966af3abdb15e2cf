"""The file in which an agent's words are kept: read line by line, whoever wrote it and however it was cut off."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.agents.voice.file import MAX_BYTES, Speaker, VoiceFile, read_speaker, read_voice, remove_voice
from echelon.model.voice.said import SaidConcern, SaidConfidence

SPEAKER = Speaker(key="k" * 64, task_id="a", node="n", phase="work", owner="primary")


def test_its_first_line_says_whose_it_is(tmp_path: Path) -> None:
    file = VoiceFile(tmp_path / "voice" / "a.jsonl", SPEAKER)
    file.say(SaidConfidence(confidence=0.5))

    assert read_speaker(file.path) == SPEAKER
    assert read_voice(file.path, "a").said == (SaidConfidence(confidence=0.5),)
    assert file.path.stat().st_mode & 0o077 == 0


def test_a_line_that_is_not_complete_waits_for_its_end(tmp_path: Path) -> None:
    file = VoiceFile(tmp_path / "a.jsonl", SPEAKER)
    file.make()
    with file.path.open("a") as writing:
        writing.write('{"kind": "confidence", "confi')
    heard = read_voice(file.path, "a")
    assert heard.said == ()

    with file.path.open("a") as writing:
        writing.write('dence": 0.5}\n')
    assert read_voice(file.path, "a", heard.end).said == (SaidConfidence(confidence=0.5),)


def test_of_one_who_was_killed_in_the_middle_of_a_line_it_counts_as_it_is(tmp_path: Path) -> None:
    file = VoiceFile(tmp_path / "a.jsonl", SPEAKER)
    file.make()
    with file.path.open("a") as writing:
        writing.write("the disk is")

    (said,) = read_voice(file.path, "a", ended=True).said
    assert isinstance(said, SaidConcern)
    assert said.concern.message == "the disk is"


def test_a_flood_is_read_up_to_a_bound_and_the_rest_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(SPEAKER.model_dump_json().encode() + b"\n" + b"x" * 100 + b"\n" + b"\n" * MAX_BYTES)

    heard = read_voice(path, "a", ended=True)

    assert len(heard.said) == 1
    assert heard.unread == path.stat().st_size - MAX_BYTES


def test_where_there_is_no_file_nothing_was_said(tmp_path: Path) -> None:
    assert read_voice(tmp_path / "none", "a").said == ()
    assert read_speaker(tmp_path / "none") is None


def test_of_a_file_that_was_begun_anew_nothing_is_lost(tmp_path: Path) -> None:
    file = VoiceFile(tmp_path / "a.jsonl", SPEAKER)
    file.make()
    start = read_voice(file.path, "a").end
    file.path.write_text(f"the roof leaks\n{SaidConfidence(confidence=0.5).model_dump_json()}\n" + "and more\n" * 50)

    assert read_voice(file.path, "a", start).said == ()
    leak, confidence, *more = read_voice(file.path, "a", start, ended=True).said
    assert isinstance(leak, SaidConcern)
    assert (leak.concern.message, confidence, len(more)) == ("the roof leaks", SaidConfidence(confidence=0.5), 50)


@pytest.mark.parametrize(
    "put",
    [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")],
    ids=["a pipe", "a folder", "a link"],
)
def test_what_is_put_in_place_of_the_file_is_neither_read_nor_waited_for(
    put: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    put(path)

    assert read_speaker(path) is None
    assert read_voice(path, "a").said == ()
    (said,) = read_voice(path, "a", ended=True).said
    assert isinstance(said, SaidConcern)
    assert said.concern.message.startswith("what it said in its file cannot be read: ")
    remove_voice(path)
    assert not os.path.lexists(path)


@pytest.mark.parametrize(
    "line", ["[" * 10_000, '{"kind": "task", "proposal": {"goal": "x", "item": 1e999}}'], ids=["deep", "infinite"]
)
def test_json_that_nobody_can_keep_is_a_concern_in_plain_words(line: str, tmp_path: Path) -> None:
    file = VoiceFile(tmp_path / "a.jsonl", SPEAKER)
    file.make()
    with file.path.open("a") as writing:
        writing.write(f"{line}\n")

    (said,) = read_voice(file.path, "a").said

    assert isinstance(said, SaidConcern)
    assert said.concern.message.startswith(line[:40])


@given(lines=st.lists(st.text(st.characters(blacklist_characters="\n\r", blacklist_categories=("Cs",)), min_size=1)))
def test_no_line_is_lost_whatever_it_says(tmp_path_factory: object, lines: list[str]) -> None:
    path = Path(str(tmp_path_factory.mktemp("voice") / "a.jsonl"))  # type: ignore[attr-defined]
    path.write_text(json.dumps(SPEAKER.model_dump()) + "\n" + "".join(f"{line}\n" for line in lines))

    said = read_voice(path, "a", ended=True).said

    assert len(said) == sum(bool(line.encode().strip()) for line in lines)
