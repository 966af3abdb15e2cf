"""What earlier runs of a job teach, asked of the journal where there is one (X10)."""

import asyncio
from typing import TypeVar

from echelon import engine
from echelon.cli.arguments.configured import read_settings
from echelon.cli.arguments.standing import is_there
from echelon.definition.definition import JobDefinition
from echelon.model.learning.learnt import Learnt

J = TypeVar("J", bound=JobDefinition)


def adjusted_now(job: J) -> J:
    """Return a job as its next run would be organised: with what was changed behind diagnoses (G)."""
    settings = read_settings()
    return asyncio.run(engine.learning.adjust_before(job, settings)) if is_there(settings) else job


def learnt_now(job: str) -> Learnt | None:
    """Return what the runs of a job teach; nothing without a journal."""
    settings = read_settings()
    if not (settings.history and is_there(settings)):
        return None
    return asyncio.run(engine.learning.learnt_before(job, settings))
