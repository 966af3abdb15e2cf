import pytest
from pydantic import ValidationError

from echelon.model.concern import HIGH, Concern, Disposition, Route

LOW = HIGH - 0.01


@pytest.mark.parametrize(
    ("confidence", "impact", "route"),
    [
        (HIGH, HIGH, Route.IMMEDIATE),
        (HIGH, LOW, Route.NORMAL),
        (LOW, HIGH, Route.HUMAN_REVIEW),  # always a person (O1)
        (LOW, LOW, Route.PATTERN_LOG),
        (1.0, 1.0, Route.IMMEDIATE),
        (1.0, 0.0, Route.NORMAL),
        (0.0, 1.0, Route.HUMAN_REVIEW),
        (0.0, 0.0, Route.PATTERN_LOG),
    ],
)
def test_confidence_and_impact_decide_where_a_concern_goes(confidence: float, impact: float, route: Route) -> None:
    assert Concern(about="a.py", message="odd", confidence=confidence, impact=impact).route is route


@pytest.mark.parametrize(
    "changes", [{"about": ""}, {"message": ""}, {"confidence": 1.1}, {"impact": -1}, {"who": "me"}]
)
def test_a_concern_says_what_it_is_about_how_sure_and_how_bad(changes: dict[str, object]) -> None:
    values = {"about": "a.py", "message": "odd", "confidence": 0.5, "impact": 0.5}
    with pytest.raises(ValidationError):
        Concern.model_validate(values | changes)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("\ud800", "\\ud800"),
        ("a\x00b", "a\\x00b"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\u202eb", "a\\u202eb"),
        ("é\n\t", "é\n\t"),
    ],
)
def test_a_concern_is_not_lost_for_a_character_that_no_journal_keeps(text: str, kept: str) -> None:
    """It raised in the agent that wanted to say it."""
    concern = Concern(about=text, message=text, confidence=0.5, impact=0.5, evidence=(text,))

    assert (concern.about, concern.message, concern.evidence) == (kept, kept, (kept,))
    assert Concern.model_validate_json(concern.model_dump_json()) == concern


@pytest.mark.parametrize("changes", [{"author": ""}, {"reason": ""}, {"verdict": "ignored"}])
def test_a_disposition_has_an_author_a_reason_and_one_of_three_verdicts(changes: dict[str, str]) -> None:
    values = {"verdict": "accepted", "author": "ann", "reason": "known", "at": "2026-01-01T00:00:00Z"}
    with pytest.raises(ValidationError):
        Disposition.model_validate(values | changes)
