"""What a command finds in its environment: what programs need, what it is stated to get, and nothing else."""

import asyncio
import os
import sys
from typing import Any

import pytest
from pydantic import SecretStr

from echelon.agents.command import CommandAgent, command
from echelon.agents.environment import PASSED_TO_ALL, Env, Environment, environment_of
from echelon.agents.processes.owner import OWNER
from echelon.model.errors import AgentFailed, InvalidJob
from echelon.testing.calls import a_call

PRINT_ALL = "import json, os; print(json.dumps(dict(os.environ)))"
SURROUNDINGS = {
    "PATH": "/bin",
    "HOME": "/home/ann",
    "LANG": "de_DE.UTF-8",
    "LC_TIME": "C",
    "XDG_CONFIG_HOME": "/home/ann/.c",
    "OPENAI_API_KEY": "sk-1",
    "PYTHONPATH": "/lib",
    "AWS_REGION": "eu",
    "AWS_SECRET_ACCESS_KEY": "s",
    "LCX": "no",
    "path": "no",
}
PLAIN = {"PATH", "HOME", "LANG", "LC_TIME", "XDG_CONFIG_HOME"}


def tool(code: str, **options: Any) -> CommandAgent[Any]:
    return command([sys.executable, "-c", code.replace("{", "{{").replace("}", "}}")], name="tool", **options)


def environment_in(agent: CommandAgent[Any]) -> dict[str, str]:
    return asyncio.run(agent.perform(a_call())).output


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        (None, PLAIN),
        ([], PLAIN),
        ({}, PLAIN),
        (["OPENAI_API_KEY"], {*PLAIN, "OPENAI_API_KEY"}),
        (("AWS_*",), {*PLAIN, "AWS_REGION", "AWS_SECRET_ACCESS_KEY"}),
        ({"AWS_REGION": None, "MODE": "fast"}, {*PLAIN, "AWS_REGION", "MODE"}),
        (["NOT_THERE"], PLAIN),
        (["*"], set(SURROUNDINGS)),
    ],
)
def test_a_command_gets_what_all_get_and_what_is_stated(env: Env | None, expected: set[str]) -> None:
    assert set(environment_of(env, "tool").of(SURROUNDINGS)) == expected


def test_what_is_set_holds_against_what_is_there() -> None:
    made = environment_of({"HOME": "/nowhere", "KEY": SecretStr("s3cr3t-value")}, "tool").of(SURROUNDINGS)

    assert (made["HOME"], made["KEY"], made["PATH"]) == ("/nowhere", "s3cr3t-value", "/bin")


def test_a_real_command_sees_no_key_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """It saw every variable: each linter had the keys of all providers."""
    for name in ("OPENAI_API_KEY", "ECHELON_JOURNAL_URL", "PYTHONPATH", "GIT_DIR", "STRANGE"):
        monkeypatch.setenv(name, "value of it")
    seen = environment_in(tool(PRINT_ALL, parse="json"))
    passed = environment_in(tool(PRINT_ALL, parse="json", env=["STRANGE"]))
    everything = environment_in(tool(PRINT_ALL, parse="json", env=["*"]))
    known = environment_of(list(PASSED_TO_ALL), "tool").of()

    ours = {OWNER, "ECHELON_BRIEF"}
    assert set(seen) - {"LC_CTYPE"} == (set(known) | ours) - {"LC_CTYPE"}  # Python sets LC_CTYPE itself
    assert passed["STRANGE"] == "value of it"
    assert set(os.environ) <= set(everything)


def test_a_secret_reaches_the_command_and_nothing_that_is_written() -> None:
    secret = "the-key-of-the-house"
    agent = tool("import os, sys; sys.exit(os.environ['KEY'])", env={"KEY": SecretStr(secret)})

    with pytest.raises(AgentFailed, match=r"ended with exit code 1: \[secret\]$"):
        asyncio.run(agent.perform(a_call()))

    assert secret not in repr(agent)
    backwards = tool("import os; print(os.environ['KEY'][::-1], end='')", env={"KEY": SecretStr(secret)})
    assert asyncio.run(backwards.perform(a_call())).output == secret[::-1]


def test_a_failure_says_what_was_to_be_passed_on_and_is_not_there() -> None:
    agent = tool("import sys; sys.exit('no key')", env=["SURELY_NOT_SET", "PATH", "NOT_ONE_*"])

    with pytest.raises(AgentFailed, match=r"no key; its env passes on SURELY_NOT_SET, NOT_ONE_\*, which is not set"):
        asyncio.run(agent.perform(a_call()))


def test_programs_are_found_on_the_path_that_is_set() -> None:
    assert Environment(values=(("PATH", "/opt/bin"),)).search_path == "/opt/bin"
    assert Environment().search_path is None


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ("PATH", "env takes a list of names, or values by name, and got a str"),
        (7, "got a int"),
        ({"KEY": 7}, "KEY in env is of type int; a variable is text, or a SecretStr"),
        ([7], "'7' in env is no name of a variable"),
        ([""], "'' in env is no name"),
        ({"A\0B": "x"}, "in env is no name"),
        ({"A": "x\0y"}, "A in env contains a zero byte"),
        ({"ECHELON_BRIEF": "x"}, "ECHELON_BRIEF in env is set by Echelon itself"),
        ([OWNER], "is set by Echelon itself"),
    ],
    ids=str,
)
def test_what_cannot_be_in_an_environment_is_refused_when_the_job_is_written(env: Any, message: str) -> None:
    with pytest.raises(InvalidJob, match=message):
        command(["tool"], env=env)


def test_a_value_in_the_wrong_place_is_not_quoted() -> None:
    with pytest.raises(InvalidJob, match="'KEY' in env is no name of a variable; set values as") as refused:
        command(["tool"], env=["KEY=sk-very-secret"])

    assert "very-secret" not in str(refused.value)
