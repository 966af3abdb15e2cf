"""O10: a dismissal needs something that was looked at, and nobody ends a concern about themselves."""

import pytest

from echelon.model.oversight.disposing import why_not_disposed, why_not_reopened
from tests.unit.oversight.building import end, ended, raised, taken_back

OPEN = raised(id="c1", about="lead-1", about_nodes=("team-2",))


@pytest.mark.parametrize(
    ("record", "wanted", "refused"),
    [
        (OPEN, end("dismissed"), ""),
        (OPEN, end("dismissed", looked_at=()), "cannot be dismissed, since nothing says what was looked at"),
        (OPEN, end("dismissed", looked_at=(" ", "")), "cannot be dismissed"),
        (OPEN, end("resolved", looked_at=()), ""),
        (OPEN, end("accepted", looked_at=()), ""),
        (OPEN, end("dismissed", author="lead-1"), "is about 'lead-1', who cannot end it"),
        (OPEN, end("resolved", author=" LEAD-1 "), "who cannot end it"),
        (OPEN, end("accepted", author="team-2"), "is about 'team-2', who cannot end it"),
        (OPEN, end("dismissed", author="lead-10"), ""),
        (ended(OPEN), end("resolved"), "was dismissed by mia on 2026-05-04 13:00 UTC (looked)"),
        (taken_back(ended(OPEN), 2), end("resolved"), ""),
    ],
)
def test_a_disposition_is_refused_in_one_line_that_says_why(record, wanted, refused):
    said = why_not_disposed(record, wanted)

    assert refused in said
    assert bool(said) is bool(refused)
    assert "\n" not in said


@pytest.mark.parametrize(
    ("record", "evidence", "refused"),
    [
        (OPEN, ("log:1",), "concern 'c1' is open"),
        (ended(OPEN), ("log:1",), ""),
        (ended(OPEN), (), "cannot be reopened, since nothing says what shows that its end was wrong"),
        (ended(OPEN), ("  ",), "cannot be reopened"),
        (ended(OPEN, "accepted"), ("log:1",), ""),
    ],
)
def test_what_was_ended_is_reopened_with_evidence(record, evidence, refused):
    said = why_not_reopened(record, evidence)

    assert refused in said
    assert bool(said) is bool(refused)
