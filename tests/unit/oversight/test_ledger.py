"""O1, O7: what says the same in runs of one job is one entry, and a dismissal that was wrong is counted."""

from echelon.model.concern import Route
from echelon.oversight.ledger import earlier_of, ledger_of
from echelon.oversight.routing import TrackRecord
from echelon.oversight.wording import filtering_lines, notes_of
from tests.unit.oversight.building import ended, hours, raised, taken_back

JOBS = {"r1": "audit", "r2": "audit", "r3": "audit", "w1": "weekly"}


def test_what_says_the_same_in_one_job_is_one_entry_with_count_and_times():
    first, second = raised(at=0), raised(at=30, run_id="r2", confidence=0.9)
    other_job, other = raised(run_id="w1"), raised("something else", at=1)

    entries = ledger_of([first, second, other_job, other], JOBS)

    entry = next(one for one in entries if one.count == 2)
    assert len(entries) == 3
    assert (entry.job, entry.runs, entry.first_seen, entry.last_seen) == ("audit", 2, hours(0), hours(30))
    assert entry.records == (second, first)
    assert entry.route is Route.IMMEDIATE, "the most urgent that is open"
    assert entry.open_since == hours(0)


def test_nothing_of_a_run_whose_job_is_not_known_is_put_together_with_other_runs():
    assert len(ledger_of([raised(run_id="x"), raised(run_id="y")], {})) == 2


def test_the_entry_goes_where_what_is_open_goes_and_keeps_every_end():
    urgent, mild = ended(raised(confidence=0.9), "accepted"), raised(at=2, impact=0.1)

    (entry,) = ledger_of([urgent, mild], JOBS)

    assert (entry.route, entry.open, entry.last) == (Route.PATTERN_LOG, (mild,), mild)
    assert [one.verdict for one in entry.dispositions] == ["accepted"]


def test_one_that_was_dismissed_and_raised_again_says_so():
    again = raised(at=5, run_id="r2")
    (entry,) = ledger_of([ended(raised(), at=1), ended(raised(at=2), at=3), again], JOBS)

    assert entry.dismissed_before(again) == 2
    assert entry.dismissed_before(entry.records[-1]) == 0
    assert entry.filtering_failures == 0, "nobody knows yet that it is right"


def test_a_dismissal_was_wrong_when_one_that_says_the_same_proved_true_later():
    before, after = ended(raised(), at=1), ended(raised(at=5, run_id="r2"), "accepted", at=6)
    too_late = ended(raised(at=7, run_id="r3"), at=8)

    (entry,) = ledger_of([before, after, too_late], JOBS)

    assert entry.filtering_failures == 1, "what was dismissed after that is another matter"


def test_a_dismissal_that_was_taken_back_is_a_failure_and_stays_in_the_history():
    reopened = taken_back(ended(raised(), at=1), at=4)
    (entry,) = ledger_of([ended(reopened, "resolved", at=6)], JOBS)

    assert (entry.filtering_failures, entry.reopened) == (1, 1)
    assert [one.verdict for one in entry.dispositions] == ["dismissed", "resolved"]
    assert reopened.open_since == hours(4)
    assert filtering_lines([reopened]) == ("filtering failure: 1 concern was dismissed before, and proved right",)
    assert notes_of(reopened) == ("was dismissed by mia, and reopened by noa: it came back",)


def test_an_accepted_one_that_is_reopened_is_no_filtering_failure():
    (entry,) = ledger_of([taken_back(ended(raised(), "accepted"), at=4)], JOBS)

    assert (entry.filtering_failures, entry.reopened) == (0, 1)


def test_earlier_runs_say_how_often_something_was_dismissed_and_who_was_right():
    earlier = earlier_of(
        [
            ended(raised(source="a")),
            ended(raised(source="a")),
            taken_back(ended(raised("third", source="a")), at=3),
            ended(raised("fourth", source="b"), "resolved"),
            raised("fifth", source="c"),
        ]
    )

    assert earlier.dismissed == {("locks.py", "the lock is claimed twice"): 2, ("locks.py", "third"): 1}
    assert earlier.track_of("a") == TrackRecord(right=1, dismissed=2)
    assert earlier.track_of("b") == TrackRecord(right=1, dismissed=0)
    assert earlier.track_of("c") == TrackRecord()
