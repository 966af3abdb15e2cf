"""What earlier runs of a job teach, asked of the journal where there is one (X10)."""

import asyncio

from echelon import engine
from echelon.cli.arguments.configured import read_settings
from echelon.cli.arguments.standing import is_there
from echelon.model.learning.learnt import Learnt


def learnt_now(job: str) -> Learnt | None:
    """Return what the runs of a job teach; nothing without a journal."""
    settings = read_settings()
    if not (settings.history and is_there(settings)):
        return None
    return asyncio.run(engine.learning.learnt_before(job, settings))
