"""Pulling one module's part out of what the surveys found (C6): a look-up in a survey that is read once a process."""

from typing import TypeVar, cast

from contracts.surveys import (
    AnySurvey,
    DeadCodeSurvey,
    DuplicationSurvey,
    HistorySurvey,
    ImportSurvey,
    InventorySurvey,
    LintSurvey,
    Survey,
)
from echelon import Handoffs

S = TypeVar("S", bound=Survey)

#: The phase whose outputs are sliced.
PHASE = "survey"
#: Every survey there should be.
SURVEYS: tuple[type[Survey], ...] = (
    *(InventorySurvey, LintSurvey, DeadCodeSurvey, DuplicationSurvey, ImportSurvey, HistorySurvey),
)


def survey_of(surveys: Handoffs[AnySurvey], contract: type[S]) -> S:
    """Return what one survey found; an empty one when it was not delivered."""
    # The store hands every reader of a process the same frozen value.
    found = cast("S | None", surveys.of(task_of(contract)))
    return contract() if found is None else found


def absent(surveys: Handoffs[AnySurvey]) -> tuple[str, ...]:
    """Return the names of the surveys that were not delivered."""
    delivered = {received.task_id for received in surveys}
    return tuple(tool_of(contract) for contract in SURVEYS if task_of(contract) not in delivered)


def tool_of(contract: type[Survey]) -> str:
    """Return the name of the agent that makes a survey."""
    return contract.model_fields["tool"].default


def task_of(contract: type[Survey]) -> str:
    """Return the task whose output a survey is."""
    return f"{PHASE}/{tool_of(contract)}"
