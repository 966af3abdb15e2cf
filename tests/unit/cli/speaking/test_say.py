"""`echelon say`: what a command says on the command line is in the file of its step."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from echelon.agents.voice.file import VOICE_FILE, Speaker, VoiceFile, read_voice
from echelon.model.concern import Concern
from echelon.model.voice.said import Proposal, Said, SaidBlocked, SaidConcern, SaidConfidence, SaidTask

SPEAKER = Speaker(key="k" * 64, task_id="work/a", node="n", phase="work", owner="primary")


def say(file: Path | None, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **({VOICE_FILE: str(file)} if file else {})}
    call = [sys.executable, "-m", "echelon", "say", *words]
    return subprocess.run(call, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = VoiceFile(tmp_path / "voice.jsonl", SPEAKER)
    made.make()
    return made.path


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("concern", "odd", "--about", "lock", "--confidence", "0.3", "--impact", "high", "--evidence", "a:1"),
            SaidConcern(concern=Concern(about="lock", message="odd", confidence=0.3, impact=0.9, evidence=("a:1",))),
        ),
        (("concern", "odd"), SaidConcern(concern=Concern(about="work/a", message="odd", confidence=0.5, impact=0.9))),
        (("blocked", "mia", "she knows"), SaidBlocked(on="mia", reason="she knows")),
        (("confidence", "0.7"), SaidConfidence(confidence=0.7)),
        (
            ("task", "look", "--reason", "odd", "--item", '{"path": "b"}'),
            SaidTask(proposal=Proposal(goal="look", reason="odd", item={"path": "b"})),
        ),
    ],
)
def test_it_is_said(file: Path, words: tuple[str, ...], said: Said) -> None:
    assert say(file, *words).returncode == 0
    assert read_voice(file, "work/a").said == (said,)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("concern", "odd", "--impact", "terrible"), "impact: "),
        (("concern", ""), "message: "),
        (("confidence", "2"), "confidence: "),
        (("task", "look", "--item", "{"), "--item is no JSON"),
        (("concern", "odd", "--loud"), "--loud"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(file: Path, words: tuple[str, ...], told: str) -> None:
    done = say(file, *words)

    assert done.returncode == 2
    assert told in done.stderr
    assert read_voice(file, "work/a").said == ()


def test_where_no_task_is_at_work_it_is_refused(tmp_path: Path) -> None:
    for file in (None, tmp_path / "none"):
        done = say(file, "concern", "odd")

        assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1)
        assert "no task is at work here" in done.stderr


def test_a_command_that_has_written_over_its_file_is_heard_all_the_same(file: Path) -> None:
    file.write_text("the disk is full\n")

    assert say(file, "concern", "odd").returncode == 0
    assert "odd" in file.read_text()
