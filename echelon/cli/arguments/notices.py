"""What the journal knows of contracts that have changed, where there is one (C8)."""

import asyncio

from echelon import engine
from echelon.cli.arguments.configured import read_settings
from echelon.cli.arguments.standing import is_there
from echelon.definition.definition import JobDefinition
from echelon.model.plan import Finding, Plan


def known_notices(job: JobDefinition, plan: Plan) -> tuple[Finding, ...]:
    """Return what is known of contracts that have changed since the last completed run; nothing without a journal."""
    settings = read_settings()
    if not is_there(settings):
        return ()
    return asyncio.run(engine.contract_changes.known_notices(job, plan, settings))
