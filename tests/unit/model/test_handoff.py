from typing import Any

import pytest
from pydantic import ValidationError

from echelon.model.conflicts.overruled import Overruled
from echelon.model.handoff import HANDOFF_SCHEMA_VERSION, ErrorReport, Handoff, OutputReference
from echelon.model.status import Status

OUTPUT = OutputReference(location="run/abc-def.json", sha256="ab", size_bytes=2, contract="int@1")
ERROR = ErrorReport(kind="AgentFailed", message="cannot", can_pass=False)

#: Everything that C1 asks for.
FIELDS = {
    *("task_id", "status", "summary", "output_location", "dependencies", "next_steps"),
    *("producer", "assignment_id", "schema_version", "confidence", "usage", "concerns", "error", "attempts"),
    *("repairs", "received", "fallback", "wrapped_up", "shortfall", "stopped_by", "rounds"),
    "kept_from",
    "replicas",
    "verification",
    "overruled",
    "outdated",
}


def handoff(status: Status = Status.COMPLETED, **changes: Any) -> Handoff:
    values: dict[str, Any] = {"task_id": "t", "summary": "did it", "producer": "a", "assignment_id": "t#1"}
    return Handoff(status=status, **(values | changes))


def test_the_envelope_has_exactly_the_agreed_fields() -> None:
    assert set(Handoff.model_fields) == FIELDS
    with pytest.raises(ValidationError, match="Extra inputs"):
        handoff(output_location=OUTPUT, method="with care")


def test_what_does_not_count_of_an_output_is_said_to_who_reads_it() -> None:
    ruling = Overruled(subject="Risk:login.py", decided="b counts, as stricter decided")

    assert handoff(output_location=OUTPUT, overruled=(ruling,)).caveat == (
        "overruled about Risk:login.py (b counts, as stricter decided)"
    )


def test_what_was_made_for_an_older_assignment_says_so_to_who_reads_it() -> None:
    made = handoff(output_location=OUTPUT, outdated=("instruction", "vocabulary"))

    assert made.caveat == "made for an older assignment: instruction, vocabulary"


@pytest.mark.parametrize("status", [Status.PENDING, Status.IN_PROGRESS])
def test_a_handoff_ends_a_step(status: Status) -> None:
    with pytest.raises(ValidationError, match="ends a step"):
        handoff(status, error=ERROR)


@pytest.mark.parametrize(
    ("status", "output", "error", "complaint"),
    [
        (Status.COMPLETED, OUTPUT, None, None),
        (Status.FAILED, None, ERROR, None),
        (Status.BLOCKED, None, ERROR, None),
        (Status.COMPLETED, OUTPUT, ERROR, "error is set exactly"),
        (Status.COMPLETED, None, None, "output_location is set exactly"),
        (Status.FAILED, None, None, "error is set exactly"),
        (Status.FAILED, OUTPUT, ERROR, "output_location is set exactly"),
        (Status.BLOCKED, OUTPUT, ERROR, "output_location is set exactly"),
    ],
)
def test_an_output_is_there_when_it_completed_and_an_error_when_it_did_not(
    status: Status, output: OutputReference | None, error: ErrorReport | None, complaint: str | None
) -> None:
    if complaint is None:
        assert handoff(status, output_location=output, error=error).done is (status is Status.COMPLETED)
        return
    with pytest.raises(ValidationError, match=complaint):
        handoff(status, output_location=output, error=error)


@pytest.mark.parametrize(
    ("field", "value"), [("confidence", 1.01), ("confidence", -0.1), ("attempts", -1), ("confidence", float("nan"))]
)
def test_numbers_outside_of_their_range_are_refused(field: str, value: float) -> None:
    with pytest.raises(ValidationError, match=field):
        handoff(output_location=OUTPUT, **{field: value})


def test_an_envelope_survives_the_way_through_json_unchanged() -> None:
    before = handoff(output_location=OUTPUT, confidence=0.7, next_steps=("rest",))

    assert Handoff.model_validate_json(before.model_dump_json()) == before
    assert before.schema_version == HANDOFF_SCHEMA_VERSION
    with pytest.raises(ValidationError, match="frozen"):
        before.summary = "did more"


def test_a_handoff_on_record_from_before_wrapping_up_had_its_name_is_read() -> None:
    """Up to schema 1.2 it was called `landed`."""
    written = (
        handoff(output_location=OUTPUT)
        .model_copy(update={"wrapped_up": True, "schema_version": "1.2"})
        .model_dump(mode="json")
    )
    written["landed"] = written.pop("wrapped_up")

    read = Handoff.model_validate(written)

    assert read.wrapped_up
    assert "landed" not in read.model_dump()
