"""Checks of one result, made with its work: the certain and cheap ones first, up to the first that rejects (D11).

A check is somebody's code: it is contained, has a time limit of its own, and is never the author's time. One that
raises, or does not end, says nothing about the work: its verdict is `error`.
"""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from math import inf

from echelon.agents.agent import Agent
from echelon.agents.call import Call
from echelon.agents.checks.verdict import Verdict, verdict_of
from echelon.agents.observed import OBSERVER, Observer, Stream
from echelon.agents.outcome import Outcome, delivered
from echelon.contract.complaint import said_of
from echelon.coordination.step.contain import contained
from echelon.coordination.step.envelope import one_line, shortened
from echelon.definition.success.criteria import Criteria
from echelon.model.errors import EchelonError, JournalError
from echelon.model.policy import DEFAULT_TIMEOUT_SECONDS
from echelon.model.verification.trace import Trace
from echelon.model.verification.verification import CheckReport
from echelon.resilience.stoppable import run_stoppably
from echelon.resilience.timeout import pause_time_limit, time_limit

#: How much of what a check says is missing is recorded, in characters.
MAX_GAP = 4_000

#: How long a check that is out of time may take to clean up, in seconds.
GRACE_SECONDS = 1.0


async def judge(criteria: Criteria, call: Call, trace: Trace) -> AsyncGenerator[CheckReport]:
    """Yield what each check says of the result in `call`; nothing more behind the first that rejects."""
    for evidence in criteria.evidence:
        report = report_of(evidence.name, evidence.judge(trace))
        yield report
        if report.result == "rejected":
            return
    for check in criteria.checks:
        report = await ask(check, call)
        yield report
        if report.result == "rejected":
            return


async def ask(check: Agent, call: Call) -> CheckReport:
    """Let a check judge the result in `call`, whatever it does; `JournalError` when the result cannot be read."""
    seconds = check.resilience.timeout_seconds or DEFAULT_TIMEOUT_SECONDS
    try:
        with pause_time_limit(lambda: inf), _quietly():
            async with time_limit(seconds):
                async with run_stoppably(lambda: _perform(check, call), GRACE_SECONDS) as task:
                    await asyncio.wait({task})
                returned = delivered(check.name, task.result())
        return report_of(check.name, verdict_of(returned.output))
    except JournalError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a check does says nothing about the work
        return CheckReport(name=check.name, result="error", gap=_told(error))


async def _perform(check: Agent, call: Call) -> Outcome[object]:
    with contained(check.name):
        return await check.perform(call)


def report_of(name: str, verdict: Verdict) -> CheckReport:
    """Return what a check says, as it is recorded."""
    gap = verdict.gap or "; ".join(f"{key}: {said}" for key, said in verdict.items.items())
    return CheckReport(name=name, result=verdict.result, gap=shortened(gap, MAX_GAP))


def _told(error: Exception) -> str:
    said = said_of(error)
    return one_line(said if isinstance(error, EchelonError) else f"{type(error).__name__}: {said}", MAX_GAP)


class _LinesOnly:
    """Hears what a check logs and prints. That it reads what it judges is no news."""

    def __init__(self, outer: Observer) -> None:
        self._outer = outer

    def output_read(self, task_id: str, version: str) -> None:
        """Say nothing."""

    def logged(self, level: int, message: str) -> None:
        self._outer.logged(level, message)

    def wrote(self, stream: Stream, text: str) -> None:
        self._outer.wrote(stream, text)


@contextmanager
def _quietly() -> Generator[None]:
    outer = OBSERVER.get()
    token = OBSERVER.set(_LinesOnly(outer) if outer else None)
    try:
        yield
    finally:
        OBSERVER.reset(token)
