"""What a command says that it used, read from what it prints (F4, M1)."""

import asyncio
import json
import logging
import sys
from typing import Any

import pytest

from echelon.agents.command import CommandAgent, command
from echelon.agents.outcome import Outcome
from echelon.agents.printed_usage import ReadUsage, usage_in
from echelon.model.concern import Concern
from echelon.model.errors import AgentFailed, ContractViolation, EchelonError, InvalidJob
from echelon.model.status import Status
from echelon.model.usage import Usage
from echelon.testing.calls import a_call

#: As `claude -p --output-format json` prints it.
CLAUDE = {
    "type": "result",
    "is_error": False,
    "num_turns": 3,
    "result": "done",
    "total_cost_usd": 0.25,
    "usage": {"input_tokens": 4, "cache_read_input_tokens": 100, "output_tokens": 7},
}
CLAUDE_PLACES: ReadUsage = {
    "tokens_in": ("usage.input_tokens", "usage.cache_creation_input_tokens", "usage.cache_read_input_tokens"),
    "tokens_out": "usage.output_tokens",
    "calls": "num_turns",
    "cost": "total_cost_usd",
}
CLAUDE_USED = Usage(tokens_in=104, tokens_out=7, calls=3, cost=0.25)

#: As `codex exec --json` prints it: one event a line, with the sums so far.
CODEX = """{"type":"thread.started"}
{"type":"turn.completed","usage":{"input_tokens":10,"output_tokens":1}}
not json
{"type":"turn.completed","usage":{"input_tokens":30,"output_tokens":5}}
{"type":"item.completed","item":{"text":"done"}}
"""
CODEX_PLACES: ReadUsage = {"tokens_in": "usage.input_tokens", "tokens_out": "usage.output_tokens"}


@pytest.mark.parametrize(
    ("stdout", "read", "used"),
    [
        (json.dumps(CLAUDE), CLAUDE_PLACES, CLAUDE_USED),
        (json.dumps([{"type": "system"}, CLAUDE]), CLAUDE_PLACES, CLAUDE_USED),  # with --verbose
        (f'{{"type":"system"}}\n{json.dumps(CLAUDE)}\n', CLAUDE_PLACES, CLAUDE_USED),  # stream-json
        (CODEX, CODEX_PLACES, Usage(tokens_in=30, tokens_out=5, calls=1)),
        ('{"steps": [{"tokens": 1}, {"tokens": 2}]}', {"tokens_out": "steps.1.tokens"}, Usage(tokens_out=2, calls=1)),
        ('{"cost": 0}', {"cost": "cost", "tokens_in": "no.such"}, Usage(cost=0, calls=1)),  # unknown is not zero
        ("Tokens: 12", lambda text: Usage(tokens_in=int(text.split()[1]), calls=2), Usage(tokens_in=12, calls=2)),
    ],
)
def test_figures_are_read_from_where_they_stand(stdout: str, read: ReadUsage, used: Usage) -> None:
    assert usage_in(stdout, read, "tool") == used


@pytest.mark.parametrize(
    ("stdout", "read", "why"),
    [
        ("done", CODEX_PLACES, "stdout has none of usage.input_tokens, usage.output_tokens"),
        ("", CODEX_PLACES, "none of"),
        ('{"cost": "much"}', {"cost": "cost"}, "cost is 'much', and no figure"),
        ('{"cost": true}', {"cost": "cost"}, "cost is True"),
        ('{"cost": -1}', {"cost": "cost"}, "cost is -1"),
        ('{"cost": NaN}', {"cost": "cost"}, "cost is nan"),
        ('{"tokens": 1.5}', {"tokens_in": "tokens"}, "tokens_in"),
        ('{"a": [1]}', {"cost": "a.7"}, "none of a.7"),
        ("[" * 5000, {"cost": "a"}, "none of a"),
        ("x", lambda text: text.nothing, "AttributeError"),
        ("x", lambda _: 7, "it is a int, and no Usage"),
        ("x", lambda _: Usage(cost=-1), "cost"),
    ],
)
def test_what_cannot_be_read_is_unknown_and_said(
    stdout: str, read: Any, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert usage_in(stdout, read, "tool") == Usage(calls=1)

    assert "command 'tool': its usage could not be read, tokens and cost are unknown" in caplog.text
    assert why in caplog.text


@pytest.mark.parametrize(
    ("usage", "message"),
    [
        ("usage.tokens", "usage takes a function of stdout, or places of figures"),
        ({}, "usage takes a function"),
        ({"tokens": "usage"}, "usage has no 'tokens'; figures are tokens_in, tokens_out, calls, cost"),
        ({"seconds": "duration"}, "usage has no 'seconds'"),
        ({"cost": 7}, "the place of cost is a path"),
        ({"cost": []}, "the place of cost is a path"),
        ({"cost": [""]}, "the place of cost is a path"),
    ],
    ids=str,
)
def test_places_are_checked_when_the_job_is_written(usage: Any, message: str) -> None:
    with pytest.raises(InvalidJob, match=message):
        command(["tool"], usage=usage)


# What a command returns beside its output


def printing(printed: object, exit_code: int = 0, **options: Any) -> CommandAgent[Any]:
    """Return a command that prints JSON."""
    code = f"import sys; print({json.dumps(printed)!r}); sys.exit({exit_code})"
    return command([sys.executable, "-c", code.replace("{", "{{").replace("}", "}}")], name="tool", **options)


def outcome_of(agent: CommandAgent[Any]) -> Outcome[Any]:
    return asyncio.run(agent.perform(a_call()))


def failure_of(agent: CommandAgent[Any]) -> EchelonError:
    with pytest.raises(EchelonError) as failed:
        outcome_of(agent)
    return failed.value


def reading(text: str) -> Outcome[str]:
    """Read what the coding agent prints."""
    told = json.loads(text)
    return Outcome(
        output=told["result"],
        status=told.get("status", Status.COMPLETED),
        summary=told.get("why", ""),
        confidence=0.4,
        concerns=(Concern(about="the door", message="open", confidence=0.9, impact=0.9),),
        usage=Usage(tokens_in=5),
    )


def test_a_parser_may_say_more_than_the_output() -> None:
    outcome = outcome_of(printing({"result": "done"}, output=str, parse=reading))

    assert (outcome.output, outcome.confidence, outcome.concerns[0].message) == ("done", 0.4, "open")
    assert outcome.usage == Usage(tokens_in=5, calls=1)


def test_the_output_of_an_outcome_is_validated_and_told_with_its_price() -> None:
    error = failure_of(printing({"result": 7}, output=str, parse=reading))

    assert isinstance(error, ContractViolation)
    assert error.usage == Usage(tokens_in=5, calls=1)


def test_an_outcome_that_is_not_done_has_no_output_to_validate() -> None:
    outcome = outcome_of(printing({"result": None, "status": "blocked"}, output=str, parse=reading))

    assert (outcome.status, outcome.output) == (Status.BLOCKED, None)


def test_a_status_that_ends_nothing_is_refused() -> None:
    error = failure_of(printing({"result": "x", "status": "pending"}, output=str, parse=reading))

    assert "an outcome ends a task as completed, failed or blocked, and not as 'pending'" in str(error)


def test_a_parser_that_says_that_it_failed_is_believed() -> None:
    def refuse(_: str) -> str:
        raise AgentFailed("nothing was found", passing=True)

    error = failure_of(printing({}, parse=refuse))

    assert isinstance(error, AgentFailed)
    assert (str(error), error.passing, error.usage) == ("nothing was found", True, Usage(calls=1))


def test_stated_usage_wins_over_that_of_the_outcome() -> None:
    agent = printing({"result": "done"}, output=str, parse=reading, usage=lambda _: Usage(tokens_in=9))

    assert outcome_of(agent).usage == Usage(tokens_in=9, calls=1)


@pytest.mark.parametrize(
    ("options", "printed"),
    [
        ({"exit_code": 1}, CLAUDE),
        ({}, CLAUDE | {"is_error": True}),
        ({"output": list[int]}, CLAUDE),
        ({"failed_when": lambda _: "it did nothing"}, CLAUDE),
        ({"failed_when": lambda found: found["nothing"]}, CLAUDE),
        ({"parse": lambda text: text.nothing}, CLAUDE),
    ],
    ids=["exit code", "is_error", "contract", "failed_when", "failed_when that fails", "parser that fails"],
)
def test_what_failed_has_been_paid_for_too(options: dict[str, Any], printed: object) -> None:
    agent = printing(printed, usage=CLAUDE_PLACES, **({"parse": "json"} | options))

    assert failure_of(agent).usage == CLAUDE_USED
