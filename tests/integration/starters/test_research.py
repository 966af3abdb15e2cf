"""A question is answered from a folder of documents: without a model, and by one over real HTTP (X12, F7, F8)."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from echelon.testing.llm_server import Answer, LlmServer, says
from tests.integration.starters.shell import Shell, result
from tests.unit.research.corpus import ANSWERS, BROKEN, MAX_BYTES, QUESTION, corpus

RESEARCH = "flows/research.py:research"


def inputs(folder: Path, question: str = QUESTION) -> tuple[str, ...]:
    given = {"folder": folder, "question": question, "max_bytes": MAX_BYTES}
    return tuple(word for name, value in given.items() for word in ("--param", f"{name}={value}"))


def references(output: Any) -> set[str]:
    found = {name for section in output["sections"] for fact in section["facts"] for name in [reference(fact)]}
    return found | {also for section in output["sections"] for fact in section["facts"] for also in fact["also"]}


def reference(fact: Any) -> str:
    return f"{fact['document']}:{fact['line']}"


def test_every_answer_is_in_the_report_with_its_place_and_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder, out = corpus(tmp_path / "docs"), tmp_path / "out"
    said = Shell(tmp_path / "home").document("run", RESEARCH, *inputs(folder), "--out", str(out), code=3)
    output, words = said["output"], (out / "answer.md").read_text()

    assert references(output) == {f"{name}:{line}" for name, line in ANSWERS.items()}
    assert (output["documents"], output["answering"], output["answered"]) == (51, len(ANSWERS), True)
    assert {one["task_id"] for one in said["missing"]} == {f"read/{name}" for name in BROKEN}
    assert {one["task_id"] for one in output["missing"]} == {f"read/{name}" for name in BROKEN}
    assert set(output["answer"]["references"]) <= references(output)
    assert all(f"{name}:{line}" in words for name, line in ANSWERS.items() if name.isascii())
    assert "<script>" not in words
    assert "&lt;script&gt;" in words
    assert all(name in words for name in BROKEN)


def test_no_document_answers_is_a_result_that_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.md").write_text("The weather is fine.\n")
    said = Shell(tmp_path / "home").document("run", RESEARCH, *inputs(folder), "--out", str(tmp_path / "out"))

    assert said["status"] == "completed"
    assert said["output"]["answered"] is False
    assert said["output"]["answer"]["text"] == "None of 1 document says anything about it."
    assert "None of 1 document says anything about it." in (tmp_path / "out/answer.md").read_text()


def test_a_folder_without_documents_fails_and_a_question_of_nothing_is_refused(tmp_path: Path) -> None:
    shell, folder = Shell(tmp_path / "home"), tmp_path / "docs"
    folder.mkdir()
    nothing = shell.document("run", RESEARCH, *inputs(folder), code=1)
    refused = shell.call("run", RESEARCH, *inputs(folder, "What is it?"))

    assert any("found 0 items" in one["reason"] for one in nothing["missing"])
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert "it has no word that could be looked for" in refused.stderr


def test_what_could_not_be_summed_up_is_in_the_report_all_the_same(tmp_path: Path) -> None:
    """The provider reads, and then goes away: the facts are there."""
    folder, shell = corpus(tmp_path / "docs", plain=1), Shell(tmp_path / "home")
    with LlmServer(model(only_reads=True)) as server:
        asked = {"RESEARCH_MODEL": "openai-chat:local", "OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "none"}
        said = shell.document("run", RESEARCH, *inputs(folder), code=3, **asked)

    assert references(said["output"]) == {f"{name}:{line}" for name, line in ANSWERS.items()}
    assert said["output"]["answer"]["text"] == "The facts below could not be summed up."
    assert "answer/answer" in {one["task_id"] for one in said["output"]["missing"]}


def published(shell: Shell, folder: Path, answers: Path, code: int = 4) -> Any:
    return shell.document("run", RESEARCH, *inputs(folder), "--param", f"publish={answers}", code=code)


def the_gate(shell: Shell) -> Any:
    (gate,) = shell.document("gates")["gates"]
    return gate


def test_an_answer_is_published_as_a_person_saw_it_and_over_nothing_that_he_did_not_see(tmp_path: Path) -> None:
    """Somebody writes into the folder after the approval: it was for something else, so it is asked again (O5)."""
    folder, answers, shell = (
        corpus(tmp_path / "docs", plain=1, broken=False),
        tmp_path / "answers",
        Shell(tmp_path / "home"),
    )
    file = answers / "what-does-a-refund-of-an-order-cost.md"
    asked = published(shell, folder, answers)
    first = the_gate(shell)

    assert not answers.exists()
    assert first["action"]["preview"].startswith(f"new: {file}, ")
    assert asked["output"]["report"]["answered"]

    shell.document("gates", "approve", first["id"], "--reason", "seen")
    answers.mkdir()
    file.write_text("mine\n")
    shell.document("resume", asked["run_id"], code=4)
    second = the_gate(shell)

    assert file.read_text() == "mine\n"
    assert second["action"]["preview"].startswith("in place of 5 bytes with SHA-256 ")

    shell.document("gates", "approve", second["id"], "--reason", "seen, too")
    done = shell.document("resume", asked["run_id"])
    text = second["action"]["preview"].partition("\n\n")[2]

    assert file.read_text() == text
    assert done["output"]["publish"]["publish/answers"]["path"] == str(file)
    assert done["output"]["report"] == asked["output"]["report"]
    assert all(f"{name}:{line}" in text for name, line in ANSWERS.items() if name.isascii())


def test_an_answer_that_is_denied_or_that_there_is_not_is_not_published(tmp_path: Path) -> None:
    answers, shell = tmp_path / "answers", Shell(tmp_path / "home")
    asked = published(shell, corpus(tmp_path / "docs", plain=1, broken=False), answers)
    shell.document("gates", "deny", the_gate(shell)["id"], "--reason", "not today")
    denied = shell.document("resume", asked["run_id"], code=3)
    (tmp_path / "fine").mkdir()
    (tmp_path / "fine/a.md").write_text("The weather is fine.\n")
    nothing = published(shell, tmp_path / "fine", answers, code=0)

    assert denied["output"]["report"] == asked["output"]["report"]
    assert "not today" in denied["missing"][0]["reason"]
    assert nothing["output"]["answered"] is False
    assert not answers.exists()


def test_a_place_in_which_the_answer_would_be_read_is_refused(tmp_path: Path) -> None:
    folder = corpus(tmp_path / "docs", plain=1)
    refused = Shell(tmp_path / "home").call("run", RESEARCH, *inputs(folder), "--param", f"publish={folder}/answers")

    assert (refused.returncode, refused.stdout) == (2, "")
    assert "so that the next run would read the answer; publish elsewhere" in refused.stderr


def test_it_is_planned_linted_and_looked_through(tmp_path: Path) -> None:
    shell, folder = Shell(tmp_path / "home"), corpus(tmp_path / "docs")
    plan = shell.document("plan", RESEARCH, *inputs(folder))
    lint = shell.document("lint", RESEARCH, *inputs(folder))
    checklist = shell.document("checklist", RESEARCH, *inputs(folder))

    assert plan["n_agents"] == 57
    assert [one for one in lint["findings"] if one["level"] == "error"] == []
    assert checklist


@pytest.mark.parametrize("at", ["step.recorded:25", "integration.ended:1", "step.recorded:60"])
def test_a_run_that_is_killed_is_resumed_and_ends_as_if_it_had_not_been(tmp_path: Path, at: str) -> None:
    folder = corpus(tmp_path / "docs")
    undisturbed = Shell(tmp_path / "other").document("run", RESEARCH, *inputs(folder), code=3)
    shell = Shell(tmp_path / "home")
    killed = shell.call("run", RESEARCH, *inputs(folder), ECHELON_FAILPOINT_AT=at)
    resumed = shell.document("resume", shell.last_run(), code=3)

    assert killed.returncode == -9, killed.stderr
    assert result(resumed) == result(undisturbed)


def model(*, only_reads: bool = False) -> Answer:
    """A model that reads its prompts: quotes what speaks of refunds, and at first also what nobody wrote."""

    def answer(request: Any) -> bytes:
        prompt = "\n".join(str(message["content"]) for message in request["messages"])
        if only_reads and "# The document" not in prompt:
            return b"no JSON"
        return says(_said(prompt)).body(request)

    return Answer(body=answer)


def _said(prompt: str) -> dict[str, Any]:
    if "# The document" not in prompt:
        facts = re.findall(r'"document": ?"([^"]+)",\s*"line": ?(\d+)', prompt)
        return {"text": "Two euros.", "references": sorted(f"{name}:{line}" for name, line in facts)[:3]}
    lines = json.loads(prompt.rsplit("```json\n", maxsplit=1)[-1].split("\n```", maxsplit=1)[0])
    quotes = [{"line": int(line), "text": text} for line, _, text in (one.partition(": ") for one in lines)]
    about = [quote for quote in quotes if "refund" in quote["text"].casefold() and "order" in quote["text"].casefold()]
    again = "What checks of your earlier rounds found" in prompt
    invented = [] if again or not about else [{"line": 1, "text": "Refunds are for ever."}]
    return {"quotes": [*about, *invented][:10]}


def test_a_model_reads_over_http_and_what_it_invents_is_found_and_done_again(tmp_path: Path) -> None:
    folder, shell = corpus(tmp_path / "docs", plain=3), Shell(tmp_path / "home")
    with LlmServer(model()) as server:
        asked = {"RESEARCH_MODEL": "openai-chat:local", "OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "none"}
        killed = shell.call("run", RESEARCH, *inputs(folder), ECHELON_FAILPOINT_AT="check.ended:4", **asked)
        resumed = shell.document("resume", shell.last_run(), code=3, **asked)
        prompts = [str(request["messages"]) for request in server.requests]
    output = resumed["output"]

    assert killed.returncode == -9, killed.stderr
    assert {one["task_id"] for one in resumed["missing"]} == {f"read/{name}" for name in BROKEN}
    assert not any("for ever" in fact["quote"] for section in output["sections"] for fact in section["facts"])
    assert output["answer"]["text"] == "Two euros."
    assert set(output["answer"]["references"]) <= {f"{name}:{line}" for name, line in ANSWERS.items()}
    assert output["answering"] == len(ANSWERS)
    assert any("line 1 does not say" in prompt for prompt in prompts)
    assert all(QUESTION in prompt for prompt in prompts)
