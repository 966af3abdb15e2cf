"""What `echelon serve` prints about a run that waits: for whom or what, and what happens when nobody does anything."""

from datetime import UTC, datetime, timedelta

import pytest

from echelon.cli.views.output import out
from echelon.cli.views.serving import show_news
from echelon.engine.served_runs import ServedRun
from echelon.model.run import RunRecord, RunStatus
from echelon.model.views.rest import PERSON, Waiting

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
ENDS = NOON + timedelta(hours=1)
AT, UNTIL = (f"{one.astimezone():%H:%M:%S}" for one in (NOON, ENDS))
ASKS = "look and answer: echelon gates --run r"


@pytest.mark.parametrize(
    ("waiting", "said"),
    [
        (Waiting(for_=PERSON), f"for {PERSON}; {ASKS}"),
        (
            Waiting(for_=PERSON, until=ENDS.isoformat(), default="deny"),
            f"for {PERSON}, without one it is denied at {UNTIL}; {ASKS}",
        ),
        (Waiting(for_="a quota", until=ENDS.isoformat()), f"goes on by itself at {UNTIL}; echelon show r"),
    ],
)
def test_a_run_that_waits_says_for_what_and_what_to_do(
    waiting: Waiting, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    record = RunRecord(run_id="r", job="j", source="", inputs={}, status=RunStatus.WAITING, started=NOON, finished=NOON)
    until = datetime.fromisoformat(waiting.until) if waiting.until else None
    run = ServedRun(
        flow_run_id="f", name="n", due=NOON, state="Suspended", is_final=False, since=NOON, record=record,
        waiting=waiting, until=until,
    )  # fmt: skip
    show_news(out(), run)

    assert capsys.readouterr().out == f"{AT}  r: waiting after 0.0 s, {said}\n"
