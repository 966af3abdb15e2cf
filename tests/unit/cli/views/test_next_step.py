"""The last line says what helps: resuming where it does, and else what does (F7, O5)."""

from datetime import UTC, datetime

import pytest

from echelon.cli.views.output import out
from echelon.cli.views.result import show_next
from echelon.model.handoff import ErrorReport, Handoff, Missing
from echelon.model.phrasing import moment
from echelon.model.run import RunStatus
from echelon.model.status import Status
from echelon.model.views.rest import PERSON, Waiting
from echelon.runlog.losses import missing_of

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
RETRY = "to have it asked again: echelon retry run 'pay/a'"
RESUME = "to continue with what is missing: echelon resume run"


def lost(task_id: str, kind: str = "AgentFailed", next_step: str = "", causes: tuple[str, ...] = ()) -> Missing:
    error = ErrorReport(kind=kind, message="it is lost", can_pass=False, next_step=next_step, causes=causes)
    return missing_of(
        Handoff(
            task_id=task_id,
            status=Status.FAILED,
            summary="",
            producer=task_id,
            assignment_id=f"{task_id}#1",
            error=error,
        )
    )


DENIED = lost("pay/a", "ApprovalDenied", RETRY)
OUTDATED = lost("apply/tree", "AgentFailed", "begin a new run")
FOLLOWS = lost("tell/tell", "DependencyFailed", causes=("pay/a",))
TIMED_OUT = lost("look/a", "AgentTimeout", "give it more time, or split the task")


@pytest.mark.parametrize(
    ("missing", "lines"),
    [
        ((lost("look/a"),), [RESUME]),
        ((TIMED_OUT,), [RESUME]),  # with more time, the run that is resumed delivers it
        ((DENIED,), [RETRY]),
        ((DENIED, FOLLOWS), [RETRY]),
        ((DENIED, lost("look/a")), [RETRY, RESUME]),
        ((OUTDATED,), ["begin a new run"]),
        ((FOLLOWS,), [RESUME]),  # its cause is not told here
    ],
)
def test_resuming_is_offered_only_where_it_can_help(
    missing: tuple[Missing, ...], lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    show_next(out(), "run", RunStatus.PARTIAL, missing)

    assert capsys.readouterr().out.splitlines() == lines


@pytest.mark.parametrize(("default", "effect"), [("deny", "denied"), ("approve", "approved")])
def test_where_an_answer_has_an_end_it_says_what_counts_then_and_what_carries_it_out(
    default: str, effect: str, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting = Waiting.model_validate({"for_": PERSON, "until": NOON.isoformat(), "default": default})
    asks = Missing(task_id="pay/a", producer="pay", reason="it waits", asks="look: echelon gates")
    show_next(out(), "run", RunStatus.WAITING, (asks,), waiting)

    resuming = "when a process is at the run: echelon resume run; to wait for it: echelon resume run --wait"
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["look: echelon gates", f"without one it is {effect} at {moment(NOON)}, {resuming}"]
    assert waiting.said == f"{PERSON}, without one it is {effect} at 2026-11-30 12:00:00 UTC"
