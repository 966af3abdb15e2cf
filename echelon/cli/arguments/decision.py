"""What a person says about irreversible work that may have happened: `--redo TASK`, `--done TASK=JSON`."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import Parameter

from echelon.cli.arguments.user import user_name
from echelon.coordination.step.intents import OperatorDecision
from echelon.model.errors import InvalidInput

Redo = Annotated[
    list[str] | None,
    Parameter(
        name="--redo", help="An irreversible task (or pattern) to do again, though it may have happened; several times."
    ),
]
Done = Annotated[
    list[str] | None,
    Parameter(
        name="--done", help="An irreversible task (or pattern) that did happen, as task=output, in JSON; several times."
    ),
]


def decision_of(redo: Sequence[str] | None, done: Sequence[str] | None) -> OperatorDecision:
    """Return what was typed, by whom; `InvalidInput` says what cannot be read."""
    by = user_name() if redo or done else ""
    return OperatorDecision(redo=frozenset(redo or ()), done=dict(map(_output, done or ())), by=by)


def _output(text: str) -> tuple[str, Any]:
    task, equals, output = text.partition("=")
    try:
        if task and equals:
            return task, json.loads(output)
    except json.JSONDecodeError as error:
        raise InvalidInput(
            f"--done {task}: the output is not valid JSON ({error}); quote text: --done '{task}=\"sent\"'"
        ) from error
    raise InvalidInput(f"--done takes task=output, not {text!r}; as in --done 'pay/invoice-7=\"paid\"'")
