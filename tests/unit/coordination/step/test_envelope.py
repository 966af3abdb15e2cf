from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from echelon.coordination.phase_output import missing_of
from echelon.coordination.step.envelope import (
    MAX_MESSAGE,
    concerns_of,
    deviation,
    error_report,
    one_line,
    status_of,
)
from echelon.model.concern import Concern
from echelon.model.errors import (
    AgentFailed,
    AgentTimeout,
    BreakerOpen,
    BudgetExhausted,
    ContractViolation,
    DependencyFailed,
    EchelonError,
)
from echelon.model.exception_report import Level, Trigger
from echelon.model.handoff import WRAPPED_UP, ErrorReport, Handoff, Missing, OutputReference
from echelon.model.status import Status


class Finding(BaseModel):
    line: int
    summary: str = ""


NO_INTEGER = "Input should be a valid integer, unable to parse string as an integer"


def contract(type_: Any) -> TypeAdapter[Any]:
    return TypeAdapter(type_)


def invalid(type_: Any, value: object) -> ValidationError:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(type_).validate_python(value)
    return refused.value


@pytest.mark.parametrize(
    ("error", "status", "can_pass", "advice"),
    [
        (AgentFailed("cannot"), Status.FAILED, False, ""),
        (AgentFailed("not now", passing=True), Status.FAILED, True, ""),
        (ContractViolation("no int"), Status.FAILED, False, "return what its contract says"),
        (AgentTimeout(3), Status.FAILED, True, ""),
        (BudgetExhausted("tokens", 5, 1, "job 'j'"), Status.FAILED, False, "raise the budget"),
        (BreakerOpen("llm", "5 failures", 3.0), Status.BLOCKED, False, "see why the dependency fails"),
        (DependencyFailed("503", passing=True), Status.FAILED, True, ""),
        (TimeoutError("read"), Status.FAILED, True, "more time"),
        (ZeroDivisionError("division"), Status.FAILED, False, ""),
    ],
)
def test_every_error_has_a_status_and_says_whether_it_can_pass_and_what_to_do(
    error: Exception, status: Status, can_pass: bool, advice: str
) -> None:
    report = error_report(error)

    assert (status_of(error), report.kind) == (status, type(error).__name__)
    assert advice in report.next_step
    assert report.can_pass is can_pass


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (AgentFailed("the file is binary"), "the file is binary"),
        (KeyError("path"), "KeyError: 'path'"),
        (ValueError(), "ValueError: ValueError()"),
        (OSError("no such file: \udcff.py"), "OSError: no such file: \\udcff.py"),
        (ValueError("x" * 10**6), "ValueError: " + "x" * (MAX_MESSAGE - len("ValueError: ") - 1) + "…"),
    ],
)
def test_the_message_of_an_error_can_always_be_recorded(error: Exception, message: str) -> None:
    assert error_report(error).message == message
    assert ErrorReport.model_validate_json(error_report(error).model_dump_json()).message == message


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            invalid(Finding, {"line": "two", "summary": 3}),
            f"ValidationError: Finding: line: {NO_INTEGER}, got the text 'two' (and 1 more)",
        ),
        (
            invalid(int, "a\n\x1b[2Jb"),
            f"ValidationError: int: the output: {NO_INTEGER}, got the text 'a \\x1b[2Jb'",
        ),
        (
            invalid(list[Finding], [{}] * 300),
            "ValidationError: list[Finding]: 0.line: Field required, got an object (and 299 more)",
        ),
    ],
)
def test_a_validation_that_failed_inside_an_agent_is_told_on_one_line(error: Exception, message: str) -> None:
    """It was a paragraph for each field, with a link."""
    assert error_report(error).message == message


def test_concerns_of_an_agent_that_failed_are_kept() -> None:
    concern = Concern(about="a.py", message="odd", confidence=0.5, impact=0.5)

    assert concerns_of(AgentFailed("no", concerns=[concern])) == (concern,)
    assert concerns_of(EchelonError("no")) == ()


@pytest.mark.parametrize(
    ("status", "attempts", "news"),
    [
        (Status.COMPLETED, 1, None),  # no news is good news (V1)
        (Status.COMPLETED, 3, (Trigger.RETRIED, Level.INFO, "needed 3 attempts")),
        (Status.FAILED, 1, (Trigger.FAILED, Level.WARNING, "cannot")),
        (Status.BLOCKED, 0, (Trigger.BLOCKED, Level.WARNING, "cannot")),
    ],
)
def test_only_what_deviates_is_told(status: Status, attempts: int, news: object) -> None:
    done = status is Status.COMPLETED
    handoff = Handoff(
        task_id="t",
        status=status,
        summary="s",
        producer="a",
        assignment_id="t#1",
        attempts=attempts,
        output_location=OutputReference(location="l", sha256="s", size_bytes=1, contract="c") if done else None,
        error=None if done else ErrorReport(kind="AgentFailed", message="cannot", can_pass=False),
    )

    assert deviation(handoff) == news


def test_what_was_wrapped_up_is_told_whatever_it_took() -> None:
    output = OutputReference(location="l", sha256="s", size_bytes=1, contract="c")
    who: dict[str, Any] = {"task_id": "t", "summary": "half of it", "producer": "a", "assignment_id": "t#1"}
    wrapped_up = Handoff(**who, status=Status.COMPLETED, output_location=output, attempts=3, wrapped_up=True)

    assert deviation(wrapped_up) == (Trigger.RESOURCE, Level.WARNING, WRAPPED_UP)
    assert missing_of(wrapped_up) == Missing(task_id="t", producer="a", reason=WRAPPED_UP, instead="half of it")
    assert wrapped_up.falls_short


def test_a_line_is_shortened_by_its_end_only() -> None:
    assert one_line("  \n\n") == ""
    assert one_line("abcdef", limit=4) == "abc…"
