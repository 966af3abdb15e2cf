"""D10: what became of proposed tasks is told by reason, the most frequent first, and nothing without bound."""

from echelon.model.phrasing import count
from echelon.model.voice.proposals import ProposalDecision, ProposalRecord
from echelon.testing.run_events import NOON, task_proposed
from echelon.visibility.voices.proposals import MOST_IN_REPORT, proposal_groups, proposal_line, proposals_counted


def proposed(number: int, goal: str = "", **decision: object) -> ProposalRecord:
    record = task_proposed(f"p-{number}", goal=goal or f"goal {number}").record
    if not decision:
        return record
    told = {"phase": "more", "by": "primary", "at": NOON, **decision}
    return record.model_copy(update={"decision": ProposalDecision.model_validate(told)})


RECORDS = [
    proposed(1, taken=False, reason="it is done already: look/a"),
    *(proposed(n, taken=False, reason="phase 'more' takes no more than 2") for n in range(2, 7)),
    proposed(7, taken=True, reason="within the limit of 2 and the budget", task_id="more/goal 7"),
    proposed(8),
]


def test_they_are_grouped_by_what_became_of_them_and_why() -> None:
    assert [group.said for group in proposal_groups(RECORDS)] == [
        "1 taken in phase 'more': within the limit of 2 and the budget (goal 7)",
        "1 not decided (goal 8)",
        "5 declined: phase 'more' takes no more than 2 (goal 2; goal 3; goal 4 and 2 more)",
        "1 declined: it is done already: look/a (goal 1)",
    ]


def test_they_are_counted() -> None:
    assert proposals_counted(RECORDS) == "8 tasks: 1 taken, 1 not decided, 6 declined"
    assert proposals_counted([]) == ""


def test_one_of_them_says_which_task_it_became() -> None:
    assert proposal_line(RECORDS[6]) == "goal 7: taken as more/goal 7: within the limit of 2 and the budget"
    assert proposal_line(RECORDS[0]) == "goal 1: declined: it is done already: look/a"
    assert proposal_line(RECORDS[7]) == "goal 8: not decided"


def test_a_report_names_so_many_of_a_group() -> None:
    (group,) = proposal_groups([proposed(n) for n in range(MOST_IN_REPORT + 1)])

    assert (len(group.shown), count(len(group.records), "task")) == (MOST_IN_REPORT, f"{MOST_IN_REPORT + 1} tasks")


def test_a_goal_of_several_lines_is_one_line_and_a_long_one_its_beginning() -> None:
    (group,) = proposal_groups([proposed(1, goal="first\nsecond " + "x" * 500)])

    assert group.said.startswith("1 not decided (first second xxx")
    assert len(group.said) < 120
