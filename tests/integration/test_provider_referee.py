"""An independent referee: another provider, not ours, which watches how its clients behave and judges them (F3)."""

import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from echelon import Resilience
from echelon.coordination.job_run import run_phases
from echelon.testing.runs import a_run
from tests.integration.providers import Files, asking, inspecting

pytestmark = pytest.mark.anyio


def library(name: str) -> Any:
    """Return a module of the referee; without it these tests are skipped, but never in CI."""
    try:
        return importlib.import_module(f"llmock.{name}")
    except ModuleNotFoundError:
        if os.environ.get("CI"):
            raise
        pytest.skip("llmock is not installed: pip install 'echelon[dev]'")


@pytest.fixture(scope="module")
def referee() -> Iterator[Any]:
    with library("testing").LLMockServer() as server:
        yield server


@pytest.mark.parametrize(
    ("fault", "requests", "delivers"),
    [
        ({"type": "fail", "status": 429, "retry_after": 0.4, "times": 2}, 3, True),
        ({"type": "fail", "status": 503}, 2, True),
        ({"type": "fail", "status": 529}, 2, True),
        ({"type": "fail", "status": 503, "times": None, "retry_after": 0.2}, 3, False),
        ({"type": "fail", "status": 400, "code": "context_length_exceeded", "times": None}, 1, False),
        ({"type": "fail", "status": 401, "times": None}, 1, False),
        ({"type": "delay", "seconds": 1.5}, 2, True),
        ({"type": "tool_fault", "kind": "malformed_arguments"}, 2, True),
        ({"type": "tool_fault", "kind": "unknown_tool"}, 2, True),
    ],
    ids=["429", "503", "529", "outage", "too long", "401", "slow", "broken call", "unknown tool"],
)
async def test_the_referee_has_nothing_to_report(
    tmp_path: Path, referee: Any, fault: dict[str, Any], requests: int, delivers: bool
) -> None:
    referee.state.reset()
    referee.state.scenarios.add(library("scenarios").behavior_from_dict(fault))
    # Only an answer that is late is to be given up: a machine that is slow for a moment must not be taken for one.
    defaults = Resilience(attempts=3, backoff_seconds=0.1, timeout_seconds=1 if fault["type"] == "delay" else 20)
    async with (
        asking(referee.base_url("openai")) as model,
        a_run(inspecting(model, defaults), tmp_path, Files()) as run,
    ):
        await run_phases(run)
        delivered = run.log.state.steps[0].handoff.done
    verdict = library("verdict").judge(referee.state.journal.records(wait=4))

    assert (delivered, verdict.attempts) == (delivers, requests)
    verdict.assert_ok(strict=True)
