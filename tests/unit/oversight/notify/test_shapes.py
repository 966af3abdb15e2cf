"""What a message says, and that nothing in it does anything at its receiver (O8)."""

import json
import re
from typing import Any

import pytest

from echelon.model.concern import Concern, ConcernRecord
from echelon.model.oversight.gate import Action, Question, Readiness
from echelon.model.oversight.terms import Gate
from echelon.oversight.notify.message import (
    LINES_SHOWN,
    PREVIEW_CHARACTERS,
    PersonMessage,
    Sender,
    concerns_message,
    gate_message,
)
from echelon.oversight.notify.shapes import GITHUB_BODY, SHAPES, as_github, as_json, as_slack, as_text, defused
from echelon.testing.run_events import NOON, gate

TOKEN = "g-1." + "0" * 32

HOSTILE = (
    "<!channel> <!here> @here @everyone @mia <https://evil.example|click> [click](https://evil.example) "
    "<img src=x onerror=alert(1)> ``` ```` closes #12 \x1b[2J \u202e txt.exe ghp_abcdefghijklmnopqrstu"
)


def action(**changes: Any) -> Action:
    values: dict[str, Any] = {
        "agent": "transfer",
        "task_id": "pay/acme",
        "phase": "pay",
        "effect": "irreversible",
        "arguments": {"amount": 82_000},
        "preview": "transfer 82,000\nto ACME",
        "missing": ("check/iban: it failed",),
    }
    return Action(**(values | changes))


def sender(**changes: Any) -> Sender:
    values: dict[str, Any] = {"key": "k1", "job": "pay", "run_id": "pay-1", "tokens": {"g-1": TOKEN}}
    return Sender(**(values | changes))


def concern(number: int, confidence: float = 0.3, impact: float = 0.9, message: str = "odd") -> ConcernRecord:
    raised = Concern(
        about=f"file-{number}.py", message=message, confidence=confidence, impact=impact, evidence=("a",) * 9
    )
    return ConcernRecord(id=f"c-{number}", run_id="pay-1", source="inspect", concern=raised, at=NOON)


def texts(value: object) -> list[str]:
    """Return every text in a document."""
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [text for part in parts for text in texts(part)]


def test_a_concern_that_holds_a_gate_back_stands_before_the_answers_with_its_command() -> None:
    """An approval that is offered right away is refused then."""
    mild, urgent = concern(1, confidence=0.1, impact=0.1), concern(2)
    asked = gate(action=action(), concerns=("c-1", "c-2"))
    said = as_text(gate_message(sender(), asked, {"c-1": mild, "c-2": urgent}, ["c-2"])).splitlines()

    assert [line for line in said if line.startswith("  c-")] == ["  c-2: file-2.py: odd", "  c-1: file-1.py: odd"]
    first = said.index("Comes first, or it cannot be approved:")
    assert said[first + 1 : said.index("Answer:")] == [
        "  to end it, as resolved, accepted or dismissed:",
        "    echelon concerns dispose c-2 --as resolved --reason WHY",
        "",
    ]
    assert "  to do it, behind what comes first:" in said[said.index("Answer:") :]


def test_what_says_what_came_of_a_deed_has_its_shape_and_stands_first() -> None:
    asked = gate(action=action(), question=Question.CUT_OFF, takes={"": "object", "id": "text"})
    said = as_text(gate_message(sender(), asked, {}))

    assert 'done takes as JSON: {"id": text}' in said
    done, approve = (said.index(f"echelon answer {TOKEN} {verdict}") for verdict in ("done", "approve"))
    assert done < approve
    assert f"echelon answer {TOKEN} done --as NAME --reason WHY --output JSON" in said


def test_a_gate_is_told_with_all_that_is_needed_to_answer_it() -> None:
    asked = gate(
        action=action(),
        terms=Gate(reason="money leaves", approvers=("mia", "tom"), expires_seconds=60),
        expires=NOON,
        readiness=(Readiness(agent="check", answer="not_ready", reason="one IBAN is new"),),
        concerns=("c-1",),
    )

    said = as_text(gate_message(sender(approver="mia", address="http://s/runs/1"), asked, {"c-1": concern(1)}))

    for part in (
        "pay: pay/acme waits for an answer: may it begin?",
        "run pay-1",
        "transfer, task pay/acme of phase pay, effect irreversible",
        'arguments: {"amount": 82000}',
        "reason: money leaves",
        "may answer: mia, tom",
        "without an answer by 2026-05-04 12:00 UTC it counts as: deny",
        "  transfer 82,000\n  to ACME",
        "check/iban: it failed",
        "file-1.py: odd",
        "check: one IBAN is new",
        f"echelon answer {TOKEN} approve --as mia --reason WHY --partial",
        f"echelon answer {TOKEN} deny --as mia --reason WHY",
        f"echelon answer {TOKEN} extend --as mia --reason WHY",  # it has an end
        "echelon gates show g-1",
        "or in Prefect: http://s/runs/1",
    ):
        assert part in said


def test_only_what_can_be_answered_is_offered() -> None:
    begins = as_text(gate_message(sender(), gate(action=action(missing=())), {}))
    cut_off = as_text(gate_message(sender(), gate(action=action(), question=Question.CUT_OFF), {}))

    assert (" done " in begins, "--partial" in begins, "Not ready" in begins) == (False, False, False)
    assert f"echelon answer {TOKEN} done --as NAME --reason WHY" in cut_off


def test_a_name_that_a_shell_would_take_apart_is_quoted() -> None:
    said = as_text(gate_message(sender(approver="mia; rm -rf ~"), gate(action=action()), {}))

    assert "--as 'mia; rm -rf ~' --reason" in said


def test_a_long_preview_is_cut_and_says_where_all_of_it_is() -> None:
    (block,) = [
        part.block
        for part in gate_message(sender(), gate(action=action(preview="x" * 30_000)), {}).parts
        if part.title == "What it would do"
    ]

    assert len(block) < PREVIEW_CHARACTERS + 200
    assert block.endswith("all of it: echelon gates show g-1)")


def test_critical_concerns_are_all_told_those_to_act_on_at_once_first_and_of_others_a_few() -> None:
    urgent, reviewed = [concern(n, 0.9) for n in range(6)], [concern(n) for n in range(6, 18)]
    mild = [concern(n, 0.9, impact=0.1) for n in range(18, 40)]

    message = concerns_message(sender(tokens={}), [*mild, *reviewed, *urgent])

    titles = [part.title for part in message.parts]
    assert titles[:18] == [f"Concern c-{n}" for n in range(18)]
    assert len(titles) == 18 + LINES_SHOWN + 1
    assert message.parts[-1].lines == ("14 more concerns: echelon concerns list --run pay-1",)
    assert message.title == "pay: 40 concerns to look at"


@pytest.fixture
def hostile() -> PersonMessage:
    wicked = action(agent=HOSTILE, task_id=HOSTILE, preview=f"{HOSTILE}\n```\n@everyone\n```", missing=(HOSTILE,) * 20)
    raised = concern(1, message=HOSTILE)
    return gate_message(sender(), gate(action=wicked, note=HOSTILE, concerns=("c-1",)), {"c-1": raised})


@pytest.mark.parametrize("shape", SHAPES)
def test_no_shape_shows_a_secret_or_moves_a_terminal(shape, hostile) -> None:
    written = "\n".join(texts(SHAPES[shape](hostile)))

    assert "ghp_" not in written
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", written)
    assert TOKEN in written


def test_slack_is_told_in_elements_that_it_shows_as_they_are(hostile) -> None:
    told = as_slack(hostile)

    kinds = {block["type"] for block in told["blocks"]}
    assert kinds == {"header", "rich_text"}
    assert told["blocks"][0]["text"]["type"] == "plain_text"
    assert len(told["blocks"][0]["text"]["text"]) <= 150
    assert "mrkdwn" not in json.dumps(told)
    # What Slack reads as markup is the text beside the blocks alone.
    assert not re.search(r"<[!@#h]|@(here|channel|everyone|mia)", told["text"])
    assert (told["unfurl_links"], told["unfurl_media"]) == (False, False)


def test_slack_gets_no_more_blocks_than_it_takes() -> None:
    told = as_slack(concerns_message(sender(address="http://s"), [concern(n, 0.9) for n in range(80)]))

    assert len(told["blocks"]) <= 50
    assert "the rest is left out" in json.dumps(told["blocks"][-2])


def outside_fences(markdown: str) -> str:
    """Return what GitHub reads as markup: everything but what stands between fences, told as CommonMark tells them."""
    outside: list[str] = []
    closing = ""
    for line in markdown.splitlines():
        if closing:
            stripped = line.strip()
            closing = "" if set(stripped) == {"`"} and len(stripped) >= len(closing) else closing
        elif found := re.match(r"(`{3,})", line):
            closing = found[1]
        else:
            outside.append(line)
    assert not closing
    return "\n".join(outside)


def test_github_reads_nothing_of_what_agents_wrote_as_markup(hostile) -> None:
    body = as_github(hostile)["body"]

    outside = outside_fences(body)
    assert "@" not in outside
    assert "evil.example" not in outside
    assert "<img" not in outside
    assert outside.rstrip().endswith("<!-- echelon k1 -->")


def test_github_gets_no_more_than_it_takes() -> None:
    long = concerns_message(sender(), [concern(n, 0.9, message="x" * 5_000) for n in range(400)])
    body = as_github(long)["body"]

    assert len(body) <= GITHUB_BODY
    outside_fences(body)
    assert "(the rest is left out)" in body


def test_programs_get_the_tokens_apart() -> None:
    told = as_json(gate_message(sender(approver="mia"), gate(action=action()), {}))

    assert told["tokens"] == [{"subject_id": "g-1", "approver": "mia", "token": TOKEN}]
    assert (told["key"], told["topic"], told["run_id"]) == ("k1", "gate", "pay-1")
    assert json.loads(json.dumps(told)) == told


@pytest.mark.parametrize("text", ["@here", "<!here>", "<@U123>", "a@b", "<#C1>", "</div>"])
def test_a_mention_is_taken_apart_where_nobody_knows_who_reads_it(text) -> None:
    assert defused(text) != text
    assert defused(text).replace("\u200b", "") == text
