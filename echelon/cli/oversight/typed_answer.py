"""What the commands that answer have in common: the output that is typed, and what happens next."""

import json
from collections.abc import Sequence
from typing import Any

from echelon.model.errors import InvalidInput


def read_output(text: str) -> Any:
    """Return what came of work that was done, as typed with `--output`; `InvalidInput` where it is no JSON."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput(f"--output is not valid JSON ({error}); quote text: --output '\"sent\"'") from error


def next_step(run_id: str, flow_runs: Sequence[str]) -> str:
    """Say what becomes of a run that was answered; `flow_runs` are the names of those that were woken for it."""
    if flow_runs:
        return f"run {run_id} goes on in Prefect, in flow run {', '.join(flow_runs)}"
    return f"to go on, unless something waits for this answer: echelon resume {run_id}"
