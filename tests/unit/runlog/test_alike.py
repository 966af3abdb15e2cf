"""One cause is said once, with all that it hit; other causes are not taken for it (F6)."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.handoff import ErrorReport, Missing
from echelon.model.incident import Incident
from echelon.model.run import CAUSE_CHARACTERS, MissingGroup, StepKind
from echelon.runlog.alike import KnownLosses, exceptions_by_cause, missing_by_cause
from echelon.runlog.gist import gist_of

AT = datetime(2026, 1, 1, tzinfo=UTC)

#: What two tasks said, as task → reason.
ALIKE = {
    "a rate limit with request ids": [
        "429 Too Many Requests (request req_011CSHoEeqs5C35K2UUqR7Fy), try again in 5.5s",
        "429 Too Many Requests (request req_7bbc), try again in 24s",
    ],
    "an open breaker, seconds before and after a minute": [
        "breaker 'anthropic' is open (5 failures in a row); next probe in 29.4 s",
        "breaker 'anthropic' is open (6 failures in a row); next probe in 1 min 2 s",
    ],
    "a timeout with the time it was given": ["no answer within its 60 s", "no answer within its 0.05 s"],
    "a folder for temporary files": ["no space in /tmp/tmpabcdefgh/out", "no space in /tmp/tmpzyxwvuts/out"],
    "a digest without a digit": ["blob deadbeefcafe is gone", "blob 0a1b2c3d4e5f is gone"],
    "a time": ["since 2026-11-29T12:13:18Z nothing came", "since 2026-12-01T08:00:00Z nothing came"],
    "a position in a file": ["line 12, column 3: no value", "line 7, column 44: no value"],
    "an address in memory": ["<Client at 0x7f3a> is closed", "<Client at 0x55ff01> is closed"],
    "white space": ["no  route\nto host", "no route to host"],
}

#: The same for what is not one cause, though it looks much like it.
OTHERWISE = {
    "another status": ["status_code: 429, body: none", "status_code: 500, body: none"],
    "another exit code": ["exit code 1", "exit code 127"],
    "another signal": ["ended by signal 9", "ended by signal 11"],
    "another number of an operating system": ["[Errno 2] it failed", "[Errno 13] it failed"],
    "another HTTP error": ["error 404", "error 429"],
    "another program": ["no program 'ruff' is installed", "no program 'git' is installed"],
    "another field": ["severity: Field required", "line: Field required"],
}


def lost(*reasons: str, instead: str = "") -> list[Missing]:
    return [
        Missing(task_id=f"look/t{n}", producer=f"look/t{n}", reason=reason, instead=instead)
        for n, reason in enumerate(reasons)
    ]


def error(message: str, kind: str = "RuntimeError", dependency: str = "", *, can_pass: bool = False) -> ErrorReport:
    return ErrorReport(kind=kind, message=message, can_pass=can_pass, dependency=dependency)


NOTHING_KNOWN = KnownLosses(errors={})


@pytest.mark.parametrize("name", ALIKE)
def test_what_differs_in_names_ids_and_numbers_only_is_one_cause(name: str) -> None:
    (group,) = missing_by_cause(lost(*ALIKE[name]), NOTHING_KNOWN)

    tasks, varies = ("look/t0", "look/t1"), name != "white space"
    assert group == MissingGroup(cause=ALIKE[name][0], varies=varies, kind=StepKind.TASK, tasks=tasks)


@pytest.mark.parametrize("name", OTHERWISE)
def test_what_differs_in_what_went_wrong_is_not(name: str) -> None:
    assert len(missing_by_cause(lost(*OTHERWISE[name]), NOTHING_KNOWN)) == 2


def test_the_names_of_those_it_hit_do_not_count_whatever_they_are_called() -> None:
    """Keys of items: paths, words, numbers, parts of one another."""
    keys = ["src/a.py", "src/a.py.bak", "429", "a", "module", "mod.ule", "x-1", "(.*)+"]
    missing = [Missing(task_id=f"look/{key}", producer=f"n/{key}", reason=f"cannot open {key}: locked") for key in keys]

    (group,) = missing_by_cause(missing, NOTHING_KNOWN)
    assert group.tasks == tuple(f"look/{key}" for key in keys)


def test_what_is_not_begun_is_one_cause() -> None:
    assert [group.said for group in missing_by_cause(lost(*["not begun"] * 4), NOTHING_KNOWN)] == [
        "4 agents: not begun; first: look/t0, look/t1, look/t2"
    ]


def test_errors_of_one_dependency_are_one_cause_in_the_words_of_the_incident() -> None:
    """First some are refused by the provider, then the breaker refuses the others."""
    failed = error("429", "DependencyFailed", "provider", can_pass=True)
    refused = error("breaker 'provider' is open", "BreakerOpen", "provider")
    broken = error("no such model", "AgentFailed", "provider")
    errors = {"look/t0": failed, "look/t1": refused, "look/t2": refused, "look/t3": broken}
    tasks = ("look/t0", "look/t1", "look/t2")
    incident = Incident(cause="provider is not available (429)", began=AT, within=("primary",), failed=tasks)
    missing = lost("429", "breaker 'provider' is open", "breaker 'provider' is open", "no such model")

    groups = missing_by_cause(missing, KnownLosses(errors=errors, incidents=(incident,)))
    assert [(group.cause, group.tasks) for group in groups] == [
        ("provider is not available (429)", tasks),
        ("no such model", ("look/t3",)),
    ]


def test_one_text_of_two_kinds_of_errors_is_two_causes() -> None:
    errors = {"look/t0": error("no"), "look/t1": error("no", "AgentFailed")}

    assert len(missing_by_cause(lost("no", "no"), KnownLosses(errors=errors))) == 2


def test_who_waited_in_vain_for_what_is_one_cause() -> None:
    reasons = ["cannot run without look/a and 2 more", "cannot run without look/bee and 7 more"]
    errors = {
        f"look/t{n}": ErrorReport(kind="Blocked", message=reason, can_pass=True, causes=(reason.split()[3],))
        for n, reason in enumerate(reasons)
    }

    assert len(missing_by_cause(lost(*reasons), KnownLosses(errors=errors))) == 1


def test_what_is_replaced_and_what_is_not_are_told_apart() -> None:
    missing = [*lost("no"), *lost("no", "no", instead="the default value"), *lost("no", instead="skipped: optional")]

    groups = missing_by_cause(missing, NOTHING_KNOWN)
    assert [(len(group.tasks), group.instead) for group in groups] == [
        (2, "the default value"),
        (1, ""),
        (1, "skipped: optional"),
    ]


def test_integrations_are_not_counted_among_agents() -> None:
    known = KnownLosses(errors={}, kinds=dict.fromkeys(("look/t0", "look/t1"), StepKind.INTEGRATION))

    assert [group.said for group in missing_by_cause(lost("no", "no", "no"), known)] == [
        "look/t0, look/t1: no",
        "look/t2: no",
    ]


def test_a_cause_is_said_on_one_line_however_long_it_is() -> None:
    (group,) = missing_by_cause(lost("a\n" * 4000), NOTHING_KNOWN)

    assert "\n" not in group.said
    assert len(group.said) <= CAUSE_CHARACTERS + len("look/t0: ")


@given(st.lists(st.text(), max_size=12))
def test_everything_missing_is_in_one_group_and_the_largest_comes_first(reasons: list[str]) -> None:
    groups = missing_by_cause(lost(*reasons), NOTHING_KNOWN)

    assert sorted(task for group in groups for task in group.tasks) == sorted(f"look/t{n}" for n in range(len(reasons)))
    assert all(len(one.tasks) >= len(other.tasks) for one, other in pairwise(groups))


@given(st.text(), st.lists(st.text(min_size=1), max_size=3))
def test_any_message_has_a_gist_and_a_gist_is_its_own(message: str, names: list[str]) -> None:
    gist = gist_of(message, names)

    assert gist_of(gist) == gist


def report(where: str, message: str, level: Level = Level.WARNING) -> ExceptionReport:
    return ExceptionReport(trigger=Trigger.FAILED, level=level, path=("primary", where), message=message, at=AT)


def test_reports_that_say_the_same_of_different_places_are_together() -> None:
    first, second = report("look/a", "look/a: no answer within 5 s"), report("look/b", "look/b: no answer within 7 s")
    loud, other = report("look/c", "look/c: no answer within 5 s", Level.CRITICAL), report("look/d", "no")

    assert exceptions_by_cause([first, loud, second, other]) == ((first, second), (loud,), (other,))


def test_planning_steps_are_counted_as_what_they_are() -> None:
    missing = lost(*["the survey is not there"] * 5)
    known = KnownLosses(errors={}, kinds={one.task_id: StepKind.PLANNING for one in missing})

    (group,) = missing_by_cause(missing, known)
    assert group.said.startswith("5 planning steps: the survey is not there; first: ")


def test_a_reason_that_is_not_that_of_all_is_said_to_be_of_the_first() -> None:
    (several,) = missing_by_cause(lost("it has 52 lines", "it has 7 lines"), KnownLosses(errors={}))
    (same,) = missing_by_cause(lost("it is empty", "it is empty"), KnownLosses(errors={}))

    assert several.why == "it has 52 lines (the first; others differ)"
    assert several.why in several.said
    assert (same.why, same.varies) == ("it is empty", False)
