import json
import re

import pytest

RUN = "survey-20260131-120000-ab12"


def test_no_runs_yet_says_how_to_start_one(echelon):
    assert "no runs yet" in echelon("runs").out
    assert json.loads(echelon("runs", "--json").out) == {
        "runs": [],
        "windows": {},
        "concerns": {"open": 0, "overdue": 0, "oldest_seconds": None},
    }


def test_runs_are_listed_with_their_status(echelon, survey):
    listed = json.loads(echelon("runs", "--json").out)["runs"]

    assert [(run["run_id"], run["status"]) for run in listed] == [(RUN, "failed")]
    assert "failed" in echelon("runs").out


def test_show_as_json_has_the_keys_of_run_and_the_phases(echelon, survey):
    document = json.loads(echelon("show", "survey", "--json").out)

    assert {"run_id", "status", "output", "missing", "concerns", "measures", "exceptions", "report"} <= document.keys()
    assert [(one["task_id"], one["reason"]) for one in document["missing"]] == [
        ("look/c.py", "the file cannot be parsed"),
        ("rank/rank", "not begun"),
    ]
    assert document["phases"][0] == {
        "name": "look",
        "planned": 3,
        "completed": 2,
        "failed": 1,
        "waiting": 0,
        "at_work": 0,
        "seconds": 3.0,
        "started": "2026-01-31T12:00:00Z",
        "ended": "2026-01-31T12:00:04Z",
        "skipped": "",
        "rounds": 1,
        "flat": None,
    }
    assert (document["launched"], document["returned"], document["at_work"]) == (4, 2, [])
    assert document["measures"]["failed"] == 1


def test_show_for_people_has_measures_missing_and_open_concerns(echelon, survey):
    said = echelon("show", RUN)

    for words in (
        "failed",
        "Wall time",
        "look/c.py: the file cannot be parsed",
        "[key] in a.py",
        f"echelon resume {RUN}",
    ):
        assert words in said.out


@pytest.mark.parametrize("agent", ["look/lib/b.py", "lib/b.py", "b.py"])
def test_an_agent_is_found_by_its_name_or_the_end_of_it(echelon, survey, agent):
    document = json.loads(echelon("show", RUN, agent, "--json", "--output").out)

    assert document["agent"] == "look/lib/b.py"
    assert document["output"] == {"lines": 5}
    assert len(document["attempts"]) == 1


def test_output_alone_is_the_json_of_the_agent(echelon, survey):
    assert json.loads(echelon("show", RUN, "a.py", "--output").out) == {"lines": 3}


def test_a_failed_agent_shows_its_error_and_attempts(echelon, survey):
    said = echelon("show", RUN, "c.py")

    assert "AgentFailed: the file cannot be parsed" in said.out
    assert "attempts 2" in re.sub(" +", " ", said.out)


@pytest.mark.parametrize(
    ("agent", "line"),
    [
        ("d.py", "has no agent 'd.py'; perhaps"),
        ("py", "has no agent 'py'"),
        ("rank/rank", f"'rank/rank' has not finished anything in run '{RUN}': not begun"),
    ],
)
def test_an_unknown_agent_is_wrong_use_with_a_hint(echelon, survey, agent, line):
    said = echelon("show", RUN, agent)

    assert said.code == 2
    assert line in said.err


@pytest.mark.parametrize("command", ["show", "measures", "exceptions", "resume"])
def test_an_unknown_run_is_wrong_use(echelon, survey, command):
    said = echelon(command, "nothing")

    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "there is no run 'nothing'" in said.err


def test_measures_are_shown_beside_what_was_planned(echelon, survey):
    assert json.loads(echelon("measures", RUN, "--json").out)["measures"]["completed"] == 2
    assert "Wall time" in echelon("measures", RUN).out


@pytest.mark.parametrize(
    ("level", "triggers"), [("info", ["failed", "retried"]), ("warning", ["failed"]), ("critical", [])]
)
def test_exceptions_are_those_of_a_level_and_louder(echelon, survey, level, triggers):
    document = json.loads(echelon("exceptions", RUN, "--level", level, "--json").out)

    assert [one["trigger"] for one in document["exceptions"]] == triggers


def test_no_exceptions_is_good_news(echelon, survey):
    assert "no exceptions of level critical or above" in echelon("exceptions", RUN, "--level", "critical").out
    assert "primary › look/c.py" in echelon("exceptions", RUN).out


def test_concerns_are_listed_the_most_urgent_first(echelon, survey):
    listed = json.loads(echelon("concerns", "--json").out)["concerns"]

    assert [one["route"] for one in listed] == ["immediate", "pattern_log"]
    assert "[key] in a.py" in echelon("concerns", "list", "--run", RUN).out


def test_a_concern_ends_with_an_author_and_a_reason_that_are_kept(echelon, survey):
    mine = survey[0].id

    ended = echelon(
        "concerns",
        "dispose",
        mine,
        "--as",
        "dismissed",
        "--reason",
        "a matter of taste",
        "--by",
        "Ann",
        "--looked-at",
        "a.py",
    )

    shown = json.loads(echelon("concerns", "show", mine, "--json").out)["disposition"]
    assert ended.code == 0
    assert (shown["verdict"], shown["author"], shown["reason"]) == ("dismissed", "Ann", "a matter of taste")
    assert [one["id"] for one in json.loads(echelon("concerns", "--json").out)["concerns"]] == [survey[1].id]
    assert len(json.loads(echelon("concerns", "--all", "--json").out)["concerns"]) == 2
    assert "dismissed by Ann" in echelon("concerns", "show", mine).out


def test_a_concern_stands_beside_its_run_and_its_job(echelon, survey):
    document = json.loads(echelon("concerns", "list", "--json").out)["concerns"][0]
    said = echelon("concerns").out

    assert (document["job"], document["run_id"], document["count"]) == ("survey", RUN, 1)
    assert f"job survey, run {RUN}, confidence" in said


@pytest.mark.parametrize("columns", ["40", "80", "160"])
def test_a_concern_is_read_whole_however_narrow_the_terminal_is(echelon, survey, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)

    assert f"{survey[0].concern.about}: {survey[0].concern.message}" in echelon("concerns").out


def test_a_concern_ends_only_once(echelon, survey):
    again = ["concerns", "dispose", survey[0].id, "--as", "resolved", "--reason", "r", "--by", "Ann"]
    echelon(*again)

    assert echelon(*again).code == 2


@pytest.mark.parametrize(
    ("options", "line"),
    [(["--repeats"], "leave out --repeats"), ([], "is not about a conflict")],
)
def test_a_side_counts_in_one_conflict_only(echelon, survey, options, line):
    dispose = ["concerns", "dispose", survey[0].id, "--as", "resolved", "--reason", "r", "--by", "Ann"]
    said = echelon(*dispose, "--counts", "look/a.py", *options)

    assert said.code == 2
    assert line in said.err


def test_an_unknown_concern_is_wrong_use(echelon, survey):
    assert echelon("concerns", "show", "zzz").code == 2


def test_a_run_that_was_not_started_from_a_file_cannot_be_gone_on_with(echelon, survey, home):
    said = echelon("resume", RUN)

    assert said.code == 2
    assert "there is no file flows/survey.py" in said.err
