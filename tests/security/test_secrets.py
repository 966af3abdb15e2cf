"""Secrets are in no text that is recorded or shown: canaries through every door."""

import asyncio
import contextlib
import json
import logging
import sqlite3
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import BaseModel, SecretStr

from echelon import AgentFailed, Concern, Job, Outcome, agent, command
from echelon.cli.views.output import err, out
from echelon.engine.picture.request import wait_for_picture
from echelon.engine.run import RunOptions, run_job
from echelon.engine.server.database import database_file
from echelon.engine.server.secret import read_secret
from echelon.model.run import RunResult
from echelon.redaction import REDACTED, redact, register_password, reread_environment
from echelon.settings import Settings
from tests.conftest import SharedServer

CANARY = "correct-horse-battery"

SHAPES = [
    "sk-proj-abcdefghijklmnop",
    "ghp_0123456789abcdef0123",
    "github_pat_11ABCDEFG0123456789",
    "glpat-abcdefghij0123456789",
    "AKIAIOSFODNN7EXAMPLE",
    "AIzaSyA-0123456789abcdefghijklmnopqrstuv",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
]


@pytest.mark.parametrize("shape", SHAPES)
def test_what_looks_like_a_secret_is_taken_out(shape: str) -> None:
    assert redact(f"it said {shape}, and stopped").startswith(f"it said {REDACTED}")
    assert not any(part in redact(f"({shape})") for part in (shape[-8:], shape[4:14]))


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("postgresql://me:hunter2@db/x is away", "postgresql://me:[secret]@db/x is away"),
        ("https://:tok@host", "https://:[secret]@host"),
        ("s3://bucket?password=hunter2&x=1", "s3://bucket?password=[secret]&x=1"),
        ("Authorization: Bearer abcdefghijk", "Authorization: Bearer [secret]"),
        (
            "the task-runner broke at 10:00: http://host:8080/a@b",
            "the task-runner broke at 10:00: http://host:8080/a@b",
        ),
    ],
)
def test_what_stands_around_a_secret_stays(text: str, clean: str) -> None:
    assert redact(text) == clean


@pytest.mark.parametrize("name", ["SOME_API_KEY", "DB_PASSWORD", "AWS_SECRET_ACCESS_KEY", "my_token", "CREDENTIALS"])
def test_secrets_of_the_environment_are_taken_out(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, CANARY)
    reread_environment()

    assert redact(f"({CANARY})") == f"({REDACTED})"


def test_the_password_of_a_url_is_known_as_it_is_written_and_as_it_is_meant() -> None:
    register_password("postgresql://me:p%40ssw0rd-1@db/x")

    assert redact("p%40ssw0rd-1 and p@ssw0rd-1") == f"{REDACTED} and {REDACTED}"


@pytest.mark.parametrize("secret", ['two"quotes"', "back\\slash\\es", "größer-als-8", "line\nend-of-it"], ids=ascii)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_secret_is_known_in_json_too(monkeypatch: pytest.MonkeyPatch, secret: str, ascii_only: bool) -> None:
    """What models are told, and the arguments of tools, are JSON: there it is written otherwise."""
    monkeypatch.setenv("SOME_PASSWORD", secret)
    reread_environment()

    assert redact(json.dumps({"key": f"({secret})"}, ensure_ascii=ascii_only)) == f'{{"key": "({REDACTED})"}}'
    assert redact(f"({secret})") == f"({REDACTED})"


class Given(BaseModel):
    """Inputs with a secret."""

    token: SecretStr = SecretStr(CANARY)


@agent
def fail(token: SecretStr) -> int:
    """Say too much."""
    print(f"printed {token.get_secret_value()}")
    logging.getLogger("tool").warning("logged %s", token.get_secret_value())
    concern = Concern(about="it", message=f"raised {token.get_secret_value()}", confidence=0.5, impact=0.5)
    raise AgentFailed(f"failed with {token.get_secret_value()}", concerns=[concern])


@agent
def crash(token: SecretStr) -> int:
    """Say too much in somebody else's words."""
    raise ValueError({"token": token.get_secret_value()})


@agent
def sum_up(token: SecretStr) -> Outcome[int]:
    """Say too much in passing."""
    return Outcome(output=1, summary=f"used {token.get_secret_value()}", next_steps=(f"revoke {CANARY}",))


tell = command(
    [sys.executable, "-c", f"import sys; sys.stderr.write('stderr {CANARY}'); sys.exit(3)"], name="tell", goal="Tell"
)


def everything() -> Job:
    job = Job("everything", goal="Say too much", inputs=Given)
    job.phase("say", agents=[fail, crash, sum_up, tell])
    return job


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunResult:
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ECHELON_PICTURE", "false")
    return asyncio.run(run_job(everything(), Given(), RunOptions()))


def test_a_secret_input_reaches_no_door(ran: RunResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The journal, from which Prefect's picture, `show`, `concerns` and `exceptions` are made; and the report."""
    with sqlite3.connect(tmp_path / "home" / "journal.db") as journal:
        dump = "\n".join(journal.iterdump())
    journal.close()
    texts = [path.read_text(errors="replace") for path in (tmp_path / "home" / "runs").rglob("*") if path.is_file()]
    for console in (out(), err()):
        console.print(f"shown {CANARY}")
    printed = capsys.readouterr()

    assert dump.count(REDACTED) >= 6
    assert len(texts) >= 3
    for text in (dump, ran.model_dump_json(), printed.out, printed.err, *texts):
        assert CANARY not in text


def test_the_key_of_the_client_is_left_out_wherever_it_hides() -> None:
    leaf = SimpleNamespace(client=SimpleNamespace(api_key="plain-words-1"))
    model = SimpleNamespace(models=[SimpleNamespace(wrapped=leaf)])

    assert redact("you sent plain-words-1", model) == f"you sent {REDACTED}"


@pytest.mark.engine
def test_a_secret_does_not_reach_prefects_database(engine: SharedServer) -> None:
    ran = asyncio.run(run_job(everything(), Given(), RunOptions()))
    assert wait_for_picture(ran.run_id, Settings(), 60)

    file = database_file(engine.home / "prefect")
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as records:
        dump = "\n".join(records.iterdump())

    assert ran.run_id in dump
    assert f"failed with {REDACTED}" in dump
    assert f"stderr {REDACTED}" in dump
    assert CANARY not in dump
    assert read_secret(engine.home / "prefect").partition(":")[2] not in dump
