"""Where the report of a run goes is on record: who resumes it need not say so again (F8)."""

import pytest

from echelon.runlog.state import fold
from echelon.testing.run_events import run_reopened, run_started


@pytest.mark.parametrize(
    ("begun", "resumed", "folder"),
    [
        ("", [], ""),
        ("/out", [], "/out"),
        ("/out", [""], "/out"),
        ("", ["/out", ""], "/out"),
        ("/out", ["/other"], "/other"),
    ],
)
def test_the_folder_that_was_asked_for_last_counts(begun: str, resumed: list[str], folder: str) -> None:
    started = run_started().model_copy(update={"out": begun})
    reopened = [run_reopened().model_copy(update={"out": one}) for one in resumed]

    assert fold([started, *reopened]).out == folder
