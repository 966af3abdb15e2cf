"""Calls into code that is not ours: what it does to its own process or task is its failure, and stops nobody else."""

import asyncio
from collections.abc import Awaitable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from echelon.agents.agent import AsksAgain
from echelon.agents.outcome import Outcome, delivered
from echelon.coordination.context import RunContext
from echelon.coordination.step.observer import observing
from echelon.coordination.step.step import Perform, Step
from echelon.coordination.step.transcribe import Transcribing
from echelon.coordination.voice.hearing import Hearing
from echelon.model.errors import AgentFailed
from echelon.resilience.stoppable import GivenUp


@dataclass(frozen=True)
class Contain:
    """Lets the agent work, and hears what it reads, writes and asks models meanwhile."""

    run: RunContext
    inner: Perform[Outcome[object]]

    async def __call__(self, step: Step) -> Outcome[object]:
        """Do a step.

        `AgentFailed` when its outcome says so, or when the agent wanted to end the process, cancelled itself, or raised
        what is no error.
        """
        hearing = Hearing(self.run, step)
        with contained(step.agent.name), observing(self.run, step), self.run.surround(step.task_id):
            async with Transcribing(self.run, step), hearing:
                outcome = delivered(step.agent.name, await self.inner(step))
            if step.recorder is not None:
                step.recorder.said = hearing.words
            return hearing.complete(outcome)


@contextmanager
def contained(name: str) -> Generator[None]:
    """Call somebody else's code, named `name`, in the block; `AgentFailed` for what must not reach others.

    What stops the run, or the coroutine itself, passes.
    """
    try:
        yield
    except (Exception, GeneratorExit, GivenUp):
        raise
    except BaseException as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise AgentFailed(f"{name} {_said_of(error)}") from error


def _said_of(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"wanted to end the process with exit code {error.code}"
    if isinstance(error, asyncio.CancelledError):
        return "was cancelled by something inside of it"
    return f"raised {type(error).__name__}, which is no error but a signal to stop: {error}".removesuffix(": ")


def act(step: Step) -> Awaitable[Outcome[object]]:
    """Let the agent itself work, or answer again."""
    if step.complaint and isinstance(step.agent, AsksAgain):
        return step.agent.perform_again(step.call, step.complaint)
    return step.agent.perform(step.call)
