"""`echelon breakers` and what `echelon doctor` and `echelon show` say of them; against a real Redis."""

import asyncio
import getpass
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from echelon.journal.journal import SqlJournal
from echelon.model.breaker_news import BreakerNews, Turn
from echelon.model.policy import BreakerPolicy
from echelon.resilience.registry import BreakerRegistry
from echelon.runlog.events import BreakerChanged
from echelon.settings import Settings
from tests.own_redis import Server, eventually, own_redis
from tests.unit.cli.conftest import RUN_ID

Echelon = Callable[..., Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with own_redis(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def redis(home: object, server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    server.forget_everything()
    monkeypatch.setenv("ECHELON_REDIS_URL", server.url)
    return server


@pytest.fixture
def nowhere(home: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHELON_REDIS_URL", "redis://me:hush@127.0.0.1:1/0")


@pytest.fixture
def opened(redis: Server) -> None:
    """A process at work has opened the breaker of `openai`."""
    registry = BreakerRegistry(redis_url=redis.url)
    breaker = registry.get("openai", BreakerPolicy(consecutive_failures=1, open_seconds=300, open_jitter=0))
    eventually(lambda: breaker.shared == "redis")
    breaker.admit().end(ConnectionError("refused"))
    registry.close()


@pytest.mark.parametrize(
    "arguments", [(), ("list", "--json"), ("isolate", "openai", "--reason", "it moves"), ("reset", "openai")]
)
def test_without_redis_there_is_nothing_to_see_and_what_to_set_is_said(
    echelon: Echelon, arguments: tuple[str, ...]
) -> None:
    said = echelon("breakers", *arguments)

    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert "ECHELON_REDIS_URL is not set: the state of breakers lives within each process" in said.err


def test_no_breakers_yet(echelon: Echelon, redis: Server) -> None:
    assert f"no breakers in Redis at 127.0.0.1:{redis.port}/0 yet" in echelon("breakers").out
    assert json.loads(echelon("breakers", "--json").out) == {"shared_through": "redis", "breakers": []}


def test_an_open_breaker_is_listed_with_why_and_its_next_trial(echelon: Echelon, opened: None) -> None:
    (one,) = json.loads(echelon("breakers", "--json").out)["breakers"]

    assert (one["name"], one["state"], one["trips"], one["isolated"]) == ("openai", "open", 1, None)
    assert one["reason"] == "1 failures in a row, the last with ConnectionError: refused"
    assert 200 < one["next_trial_in_seconds"] <= 300
    assert datetime.fromisoformat(one["since"]).tzinfo is not None
    assert re.search(r"openai +open .* in [45] min .* the last with ConnectionError: refused", echelon("breakers").out)


def test_a_dependency_is_isolated_and_reset_by_name(echelon: Echelon, redis: Server) -> None:
    done = echelon("breakers", "isolate", "openai", "--reason", "it moves", "--by", "ann")
    listed = json.loads(echelon("breakers", "--json").out)["breakers"][0]
    shown = echelon("breakers").out
    ended = echelon("breakers", "reset", "openai")

    assert (done.code, ended.code) == (0, 0)
    assert "openai: isolated by ann: it moves; all processes refuse calls to it" in done.out
    assert "check the name" in done.out
    assert (listed["state"], listed["isolated"]) == ("open", {"by": "ann", "reason": "it moves"})
    assert listed["next_trial_in_seconds"] is None
    assert "when it is reset" in shown
    assert ended.out == "openai: closed in all processes\n"
    assert "in " not in echelon("breakers").out.splitlines()[1]


def test_what_is_known_is_isolated_without_a_hint(echelon: Echelon, opened: None) -> None:
    assert "check the name" not in echelon("breakers", "isolate", "openai", "--reason", "it moves").out


def test_both_answer_in_json_and_an_isolation_names_the_user(echelon: Echelon, redis: Server) -> None:
    isolated = json.loads(echelon("breakers", "isolate", "openai", "--reason", "it moves", "--json").out)
    reset = json.loads(echelon("breakers", "reset", "openai", "--json").out)

    assert isolated["isolated"] == {"by": getpass.getuser(), "reason": "it moves"}
    assert (reset["name"], reset["state"], reset["trips"], reset["isolated"]) == ("openai", "closed", 0, None)


def test_a_user_without_a_name_says_who_decides(
    echelon: Echelon, redis: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 2_000_000_000)

    said = echelon("breakers", "isolate", "openai", "--reason", "it moves")

    assert (said.code, "--by NAME" in said.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("isolate", "openai", "--reason", " "), "name or --reason is empty"),
        (("isolate", " ", "--reason", "it moves"), "name or --reason is empty"),
        (("reset", "opnai"), "no breaker is named 'opnai' in Redis at 127.0.0.1"),
    ],
)
def test_a_mistake_changes_nothing(echelon: Echelon, opened: None, arguments: tuple[str, ...], line: str) -> None:
    said = echelon("breakers", *arguments)

    assert (said.code, said.err.count("\n")) == (2, 1)
    assert line in said.err
    assert [one["name"] for one in json.loads(echelon("breakers", "--json").out)["breakers"]] == ["openai"]


def test_a_redis_that_is_away_is_named_without_its_password(echelon: Echelon, nowhere: None) -> None:
    said = echelon("breakers")

    assert (said.code, said.err.count("\n")) == (1, 1)
    assert "Redis at 127.0.0.1:1/0 did not do what it was asked for" in said.err
    assert "hush" not in said.err


@pytest.mark.parametrize("command", [(), ("list",), ("isolate",), ("reset",)])
def test_every_command_has_help_with_an_example(echelon: Echelon, command: tuple[str, ...]) -> None:
    assert "Example:  echelon breakers" in echelon("breakers", *command, "--help").out


def check(echelon: Echelon) -> Any:
    said = echelon("doctor", "--json")
    return next(one for one in json.loads(said.out)["checks"] if one["name"] == "breakers")


def test_the_doctor_says_that_breakers_are_known_to_each_process_only(echelon: Echelon) -> None:
    found = check(echelon)

    assert (found["ok"], found["detail"]) == (True, "known to each process only")
    assert "ECHELON_REDIS_URL" in found["fix"]


def test_the_doctor_says_which_redis_shares_them_and_what_is_refused(echelon: Echelon, opened: None) -> None:
    echelon("breakers", "isolate", "search", "--reason", "it moves")
    echelon("breakers", "reset", "search")
    found = check(echelon)

    assert found["ok"]
    assert found["detail"].startswith("shared through Redis ")
    assert found["detail"].endswith(" ms; on record: openai, search; calls are refused to: openai")


def test_the_doctor_finds_a_redis_that_is_set_and_away(echelon: Echelon, nowhere: None) -> None:
    found = check(echelon)

    assert not found["ok"]
    assert "Redis at 127.0.0.1:1/0 did not" in found["detail"]
    assert "start it, or correct or unset ECHELON_REDIS_URL" in found["detail"]
    assert "hush" not in json.dumps(found)


def test_show_tells_what_became_of_the_breakers_of_a_run(echelon: Echelon, survey: object) -> None:
    assert json.loads(echelon("show", RUN_ID, "--json").out)["breakers"] == []
    assert "breakers" not in echelon("show", RUN_ID).out

    async def write() -> None:
        async with SqlJournal.open(Settings()) as journal:
            for turn, state in ((Turn.OPENED, "open"), (Turn.LEFT, "closed")):
                news = BreakerNews(name="openai", turn=turn, state=state, shared="redis")
                await journal.append(BreakerChanged(run_id=RUN_ID, at=datetime.now(UTC), news=news))

    asyncio.run(write())
    (one,) = json.loads(echelon("show", RUN_ID, "--json").out)["breakers"]
    assert (one["name"], one["opened"], one["state"], one["shared"]) == ("openai", 1, "closed", "redis")
    assert "openai opened 1 time, closed; shared through redis" in echelon("show", RUN_ID).out
