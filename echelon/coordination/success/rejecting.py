"""Work that was done and does not count: nobody gets its output. Pure."""

from collections.abc import Mapping

from echelon.coordination.step.envelope import MAX_MESSAGE, one_line, shortened
from echelon.model.handoff import ErrorReport, Handoff
from echelon.model.status import Status


def without_output(handoff: Handoff, status: Status, error: ErrorReport) -> Handoff:
    """Return the handoff of work as one that did not deliver, whatever it is."""
    changed: Mapping[str, object] = {
        "status": status,
        "error": error,
        "output_location": None,
        "confidence": 0.0,
        "summary": one_line(f"did not pass: {error.message}"),
    }
    return Handoff.model_validate({**vars(handoff), **changed})


def unchecked(handoff: Handoff, checked: Handoff) -> Handoff:
    """Return the handoff of work that nobody could check: it counts as not done, whatever it is."""
    assert checked.error is not None, "a check that was not made says why"
    message = f"its check, {checked.task_id}, was not made: {checked.error.message}"
    error = checked.error.model_copy(update={"message": shortened(message, MAX_MESSAGE)})
    return without_output(handoff, checked.status, error)
