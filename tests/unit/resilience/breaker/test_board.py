"""F1: breakers that processes share, seen and handled from outside; against a real Redis."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from echelon.model.errors import BreakerOpen, DependencyFailed, InvalidInput
from echelon.model.policy import BreakerPolicy
from echelon.resilience.breaker.board import BreakerBoard
from echelon.resilience.breaker.breaker import Breaker
from echelon.resilience.breaker.store import BreakerRecord
from echelon.resilience.breaker.wire import since
from echelon.resilience.registry import BreakerRegistry
from tests.own_redis import Server, eventually, own_redis

DOWN = ConnectionError("connection refused")
ONCE = BreakerPolicy(consecutive_failures=1, open_seconds=30, open_jitter=0)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with own_redis(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def board(server: Server) -> Iterator[BreakerBoard]:
    server.forget_everything()
    with BreakerBoard(server.url) as made:
        yield made


@pytest.fixture
def process(board: BreakerBoard, server: Server) -> Iterator[BreakerRegistry]:
    """What a process has that shares its breakers."""
    registry = BreakerRegistry(redis_url=server.url)
    yield registry
    registry.close()


def shared(process: BreakerRegistry, name: str = "provider") -> Breaker:
    breaker = process.get(name, ONCE)
    eventually(lambda: breaker.shared == "redis")
    return breaker


def test_at_first_nothing_is_on_record(board: BreakerBoard) -> None:
    assert board.records() == {}


def test_what_a_process_opened_is_on_record_with_why_since_when_and_until_when(
    board: BreakerBoard, process: BreakerRegistry
) -> None:
    shared(process).admit().end(DOWN)
    eventually(board.records)

    record = board.records()["provider"]
    assert (record.state, record.trips) == ("open", 1)
    assert record.reason == "1 failures in a row, the last with ConnectionError: connection refused"
    assert 25 < record.probe_in_seconds <= 30
    began = since(record)
    assert began is not None
    assert abs(datetime.now(UTC) - began) < timedelta(seconds=20)


def test_breakers_are_listed_by_name_and_their_trials_are_none(board: BreakerBoard, server: Server) -> None:
    board.isolate("b", "moves", "ann")
    board.isolate("a {x}", "moves", "ann")
    board._client.zadd("echelon:breaker:{b}:trials", {"token": 1})

    assert list(board.records()) == ["a {x}", "b"]


def test_a_dependency_is_isolated_before_anyone_called_it(board: BreakerBoard, process: BreakerRegistry) -> None:
    board.isolate("provider", "maintenance", "ann")
    breaker = shared(process)
    eventually(lambda: breaker.isolated)

    with pytest.raises(BreakerOpen, match="isolated by ann: maintenance") as refused:
        breaker.admit()
    assert "until it is reset" in str(refused.value)
    assert board.records()["provider"].isolated_by == "ann"


def test_a_process_at_work_takes_notice_of_a_hand_and_of_the_end_of_it(
    board: BreakerBoard, process: BreakerRegistry
) -> None:
    breaker = shared(process)
    breaker.admit().end(None)
    board.isolate("provider", "maintenance", "ann")
    eventually(lambda: breaker.isolated_by == "ann")
    assert board.reset("provider").state == "closed"
    eventually(lambda: breaker.state == "closed")

    breaker.admit().end(None)
    assert (breaker.isolated, breaker.isolated_by) == ("", "")


def test_what_a_process_isolates_says_who_everywhere(board: BreakerBoard, process: BreakerRegistry) -> None:
    shared(process)
    process.isolate("provider", "it moves", "bob")
    eventually(board.records)

    assert board.records()["provider"].reason == "isolated by bob: it moves"


def test_what_a_person_isolated_is_not_forgotten_and_all_else_is_in_the_end(board: BreakerBoard) -> None:
    key = "echelon:breaker:{provider}"
    board.isolate("provider", "maintenance", "ann")
    isolated = board._client.pttl(key)
    board.reset("provider")

    assert isolated == -1  # which is how Redis says: without an end
    assert board._client.pttl(key) > 0


def test_an_isolation_keeps_the_count_of_openings(board: BreakerBoard, process: BreakerRegistry) -> None:
    shared(process).admit().end(DOWN)
    eventually(board.records)

    assert board.isolate("provider", "maintenance", "ann").trips == 1


def test_resetting_what_is_not_on_record_names_what_is(board: BreakerBoard) -> None:
    board.isolate("provider", "maintenance", "ann")

    with pytest.raises(InvalidInput, match=r"no breaker is named 'provder' in Redis at .*; there are: provider"):
        board.reset("provder")


def test_nothing_on_record_has_no_beginning() -> None:
    assert since(BreakerRecord()) is None


def test_the_server_says_who_it_is(board: BreakerBoard, server: Server) -> None:
    answer = board.answer()

    assert answer.address == f"127.0.0.1:{server.port}/0"
    assert answer.version[0].isdigit()
    assert 0 < answer.milliseconds < 3000


def test_a_server_that_is_away_is_explained_without_its_password() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        with (
            BreakerBoard(f"redis://me:hush@127.0.0.1:{port}/2") as board,
            pytest.raises(DependencyFailed, match=rf"Redis at 127\.0\.0\.1:{port}/2 did not") as failed,
        ):
            board.records()
    assert "ECHELON_REDIS_URL" in str(failed.value)
    assert "hush" not in str(failed.value)


def test_a_socket_of_this_machine_is_an_address_too(tmp_path: Path) -> None:
    with BreakerBoard(f"unix://me:hush@{tmp_path}/redis.sock") as board:
        assert board.address == f"{tmp_path}/redis.sock"


def test_a_hand_reaches_a_process_whose_breakers_may_open_no_more(
    board: BreakerBoard, process: BreakerRegistry
) -> None:
    """The panic rule is for machines."""
    policy = ONCE.model_copy(update={"min_fleet": 1})
    first, second = (process.get(name, policy) for name in ("first", "second"))
    eventually(lambda: second.shared == "redis")
    first.admit().end(DOWN)
    board.isolate("second", "maintenance", "ann")
    eventually(lambda: second.isolated_by == "ann")

    assert (first.state, second.state, process.refusing) == ("open", "open", {"first", "second"})
