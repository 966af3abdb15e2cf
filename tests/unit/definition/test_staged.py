"""What is staged is recorded and shown before it is done, so it must be known what it would be (O5)."""

from typing import Any

import pytest

from echelon import Gate, Job, agent
from echelon.model.errors import InvalidJob


def writing(**options: Any) -> Any:
    @agent(**options)
    async def write() -> str:
        return "written"

    return write


def test_a_staged_phase_has_a_gate_that_says_so() -> None:
    job = Job("tidy", goal="Tidy")
    job.phase("write", agent=writing(effect="write", preview=lambda: "write"), staged=True)

    assert job.phases["write"].gate == Gate(staged=True, asks_ready=False)


def test_its_terms_may_be_stated_too() -> None:
    job = Job("tidy", goal="Tidy")
    terms = Gate(approvers=("mia",))
    job.phase("write", agent=writing(effect="write", preview=lambda: "write"), staged=True, gate=terms)

    assert job.phases["write"].gate == Gate(approvers=("mia",), staged=True)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"preview": lambda: "write"}, "'write' changes nothing that could be staged"),
        ({"effect": "write"}, "'write' cannot be staged, since it does not say what it would do"),
    ],
)
def test_what_could_not_be_shown_is_refused(options: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidJob, match=why):
        Job("tidy", goal="Tidy").phase("write", agent=writing(**options), staged=True)
