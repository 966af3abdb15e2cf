"""Constraints of a job: in words for everybody who works, and as checks of what each phase hands on (D9)."""

from collections.abc import Sequence
from typing import TypeAlias

from pydantic import BaseModel

from echelon.agents.agent import Agent
from echelon.agents.call import CallShape
from echelon.agents.checks.check import check_of, check_whole
from echelon.agents.checks.criterion import Check
from echelon.model.errors import InvalidJob

Constraint: TypeAlias = str | Check
"""What bounds every task: a text, or a check of what a phase hands on."""


def constraints_of(
    job: str, stated: Sequence[Constraint], inputs_type: type[BaseModel]
) -> tuple[tuple[str, ...], tuple[Agent, ...]]:
    """Return what is stated in words, and the checks, bound; `InvalidJob` for what can check nothing.

    A check asks for `Handoffs[...]`, which is all that the phase hands on, for the inputs, and for its brief, which
    names the phase.
    """
    if isinstance(stated, str):
        raise InvalidJob(f"job {job!r}: constraints takes a list of texts and checks, and got {stated!r}")
    texts = tuple(one for one in stated if isinstance(one, str))
    checks = [check_of(f"constraints of {job}", one) for one in stated if not isinstance(one, str)]
    names = [one.name for one in checks]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidJob(f"job {job!r}: two constraints are called {twice[0]!r}; give one of them a name of its own")
    for check in checks:
        check_whole(f"constraints of {job}", check)
    return texts, tuple(check.bind(CallShape(inputs_type=inputs_type, checks=object)) for check in checks)
