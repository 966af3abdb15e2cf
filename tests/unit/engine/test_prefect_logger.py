"""What an agent writes through Prefect's logger reaches Python's logging, and Prefect's API never."""

import asyncio
import logging
import subprocess
import sys
import threading
from unittest.mock import patch
from uuid import uuid4

import pytest
from prefect import get_run_logger
from prefect.exceptions import MissingContextError
from prefect.logging import handlers
from prefect.logging.loggers import flow_run_logger
from prefect.runtime import task_run

from echelon.engine.prefect_logger import run_context_for

FLOW_RUN = str(uuid4())


class Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def heard(monkeypatch):
    """What reaches the handlers of the root logger."""
    listener = Listener()
    logging.getLogger().addHandler(listener)
    with patch.object(handlers, "emit_api_log", side_effect=AssertionError("nothing may be sent")) as sent:
        yield listener.records
    logging.getLogger().removeHandler(listener)
    assert not sent.called


def test_the_logger_of_prefect_writes_to_the_logging_of_python(heard):
    with run_context_for(FLOW_RUN, "greet/d0-0"):
        get_run_logger().warning("hello")

    [record] = heard
    assert (record.name, record.getMessage(), record.levelno) == ("prefect.task_runs", "hello", logging.WARNING)
    assert (record.task_run_name, record.flow_run_id) == ("greet/d0-0", FLOW_RUN)


def test_what_is_not_of_an_agent_is_sent_as_ever():
    with patch.object(handlers, "emit_api_log") as sent, run_context_for(FLOW_RUN, "greet/d0-0"):
        flow_run_logger(flow_run_id=uuid4()).warning("of somebody else")

    assert [call.args[0]["message"] for call in sent.call_args_list] == ["of somebody else"]


def test_outside_of_the_block_there_is_no_run():
    with run_context_for(None, "greet/d0-0"):
        pass

    with pytest.raises(MissingContextError):
        get_run_logger()


def test_a_logger_that_is_kept_writes_from_any_thread(heard):
    with run_context_for(None, "greet/d0-0"):
        logger = get_run_logger()
    thread = threading.Thread(target=logger.warning, args=("from elsewhere",))
    thread.start()
    thread.join()

    assert [record.getMessage() for record in heard] == ["from elsewhere"]


def test_agents_that_work_at_one_time_have_names_of_their_own(heard):
    async def work(name: str) -> None:
        with run_context_for(FLOW_RUN, name):
            await asyncio.sleep(0)
            get_run_logger().warning(task_run.name)

    async def all_of_them() -> None:
        await asyncio.gather(*[work(f"greet/d0-{n}") for n in range(3)])

    asyncio.run(all_of_them())

    assert sorted((record.task_run_name, record.getMessage()) for record in heard) == [
        (f"greet/d0-{n}", f"greet/d0-{n}") for n in range(3)
    ]


def test_prefect_is_not_imported_for_it():
    code = (
        "import sys\n"
        "from echelon.engine.prefect_logger import run_context_for\n"
        "with run_context_for(None, 'x'): pass\n"
        "print('prefect' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
