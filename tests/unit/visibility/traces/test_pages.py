"""What agents logged and said is beside the report: linked, within bounds, and shown as text whatever it is (X8)."""

import re
from datetime import timedelta

import pytest

from echelon.agents.transcript.transcript import Message, MessagePart, Transcript
from echelon.model.status import Status
from echelon.runlog.events import Logged
from echelon.runlog.state import fold
from echelon.runlog.view import view_of
from echelon.testing.run_events import NOON, key_of, model_asked, run_started, small_plan, step_ended
from echelon.visibility.report import default_report
from echelon.visibility.traces.pages import LINES_SHOWN, LogTails, pages_of
from echelon.visibility.traces.trace import trace_command, traces_of

HOSTILE = "</pre><script>alert(1)</script>"


def line(task: str, message: str = "hello", source: str = "stdout", level: int = 20) -> Logged:
    return Logged.model_validate(
        {
            "run_id": "r1",
            "at": NOON,
            "key": key_of(task),
            "task_id": task,
            "source": source,
            "level": level,
            "message": message,
        }
    )


def transcript(text: str, messages: int = 1) -> Transcript:
    part = MessagePart(kind="text", text=text)
    said = tuple(Message(role="response", parts=(part,)) for _ in range(messages))
    return Transcript(agent="a", began=NOON, ended=NOON + timedelta(seconds=1), messages=said)


def pages(*events, said: Transcript | None = None) -> tuple[dict[str, str], dict[str, str]]:
    """Return the report and the pages of a run."""
    everything = [run_started(plan=small_plan(["a", "b"])), *events]
    view = view_of(fold(everything), lambda _: None)
    tails = LogTails()
    tails.see(everything)
    return default_report(view), dict(pages_of(view, tails.lines, lambda _: said))


def test_the_report_links_to_a_page_for_each_that_has_something_to_read() -> None:
    report, found = pages(line("a"), step_ended("a"), step_ended("b"))

    (name,) = found
    assert f'href="{name}"' in report["report.html"]
    assert f"]({name})" in report["report.md"]
    assert "hello" in found[name]


def test_without_anything_to_read_there_is_nothing_about_it() -> None:
    report, found = pages(step_ended("a"))

    assert found == {}
    assert "What agents logged" not in "".join(report.values())


def test_those_that_delivered_nothing_come_first() -> None:
    _, found = pages(line("a"), step_ended("a"), line("b"), step_ended("b", Status.FAILED))

    assert [name.split("/")[1][0] for name in found] == ["b", "a"]


def test_hostile_text_is_only_shown() -> None:
    asked = model_asked("a", agent=HOSTILE, error=HOSTILE)
    report, found = pages(line("a", HOSTILE), asked, step_ended("a"), said=transcript(HOSTILE))

    (page,) = found.values()
    assert page.count("&lt;script&gt;") == 4
    assert "<script" not in page + report["report.html"]


@pytest.mark.parametrize("task", ["../../etc/passwd", "a/b c", "<b>", "日本", "x" * 500, "$(rm -rf ~)"])
def test_a_task_of_any_name_has_a_file_of_a_harmless_one(task: str) -> None:
    _, found = pages(line(task), step_ended(task))

    (name,) = found
    assert re.fullmatch(r"agents/[A-Za-z0-9-]{9,80}\.html", name)


def test_alike_names_have_pages_of_their_own() -> None:
    assert len(pages(line("a/b"), step_ended("a/b"), line("a-b"), step_ended("a-b"))[1]) == 2


def test_a_page_is_bounded_and_says_what_it_leaves_out() -> None:
    many = [line("a", f"{n} {'x' * 5_000}") for n in range(1_000)]
    asked = [model_asked("a") for _ in range(30)]
    _, found = pages(*many, *asked, step_ended("a"), said=transcript("y" * 100_000, messages=40))

    (page,) = found.values()
    assert len(page) < 200_000
    assert f"The last {LINES_SHOWN} of 1000 lines" in page
    assert "The last 3 of 30" in page
    assert "20 messages before these are left out" in page


def test_a_thousand_agents_stay_below_two_megabytes() -> None:
    names = [f"inspect/package/module_{n}.py" for n in range(1_000)]
    work = [(line(name, "looked at it"), line(name, "found 3 risks"), step_ended(name)) for name in names]
    report, found = pages(*[event for events in work for event in events])

    assert len(found) == 1_000
    assert sum(map(len, (*found.values(), report["report.html"], report["report.md"]))) < 2_000_000


def test_the_command_means_the_task_whatever_its_name_is() -> None:
    assert trace_command("r1", "$(rm -rf ~)") == "echelon show r1 '$(rm -rf ~)' --log --messages"


def test_machines_read_what_there_is_of_each_agent() -> None:
    view = view_of(fold([run_started(), line("a"), model_asked("a"), step_ended("a")]), lambda _: None)

    (document,) = [trace.document for trace in traces_of(view)]

    assert (document["task_id"], document["status"], document["log_lines"]) == ("a", "completed", 1)
    (said,) = document["conversations"]
    assert (said["model"], said["answers"], said["transcript"]) == ("gpt-5", 1, "r1/a-c.transcript.json")
