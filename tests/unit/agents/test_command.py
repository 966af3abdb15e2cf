"""A command as an agent: real child processes, no shell, nothing left behind."""

import asyncio
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Any

import psutil
import pytest
from pydantic import BaseModel, SecretStr

from echelon.agents.agent import Agent
from echelon.agents.call import Call, CallShape
from echelon.agents.command import CommandAgent, command, find_program
from echelon.agents.fallback import Fallback
from echelon.agents.processes.process import Finished, run_process
from echelon.model.errors import AgentFailed, ContractViolation, EchelonError, InvalidInput, InvalidJob
from echelon.model.policy import Resilience
from echelon.model.usage import Budget, Usage
from echelon.resilience.guard import Guard
from echelon.testing.calls import NoInputs, a_call
from tests.unit.agents.families import all_end, family_of

ECHO = "import json, sys; print(json.dumps(sys.argv[1:]))"


class Inputs(BaseModel):
    path: str = "src"
    depth: int = 3


class Severity(StrEnum):
    HIGH = "high"


class Module(BaseModel):
    path: Path
    severity: Severity = Severity.HIGH


class Report(BaseModel):
    path: str
    risks: list[str]


def python(code: str, *args: str, **options: Any) -> CommandAgent:
    """Return a command that runs a piece of Python."""
    return command([sys.executable, "-c", code.replace("{", "{{").replace("}", "}}"), *args], name="tool", **options)


def perform(agent: CommandAgent, call: Call | None = None) -> Any:
    return asyncio.run(agent.perform(call or a_call())).output


def test_a_command_is_an_agent_with_a_name_a_goal_and_a_policy() -> None:
    agent = command(["/usr/bin/env", "true"], timeout=5, attempts=2, breaker="env", effect="write")

    assert isinstance(agent, Agent)
    assert (agent.name, agent.goal, agent.effect, agent.output_type) == ("env", "run env", "write", str)
    assert agent.resilience == Resilience(timeout_seconds=5, attempts=2, breaker="env")


def test_a_command_may_have_a_budget_and_a_fallback() -> None:
    other = command(["true"])
    agent = command(["false"], budget=Budget(calls=2), fallback=other)

    assert agent.resilience.budget == Budget(calls=2)
    assert agent.fallback == (Fallback.agent(other),)
    assert other.fallback == ()


# Where values come from


def test_arguments_are_filled_from_the_item_first_and_then_from_the_inputs() -> None:
    agent = python(ECHO, "{path}", "--depth={depth}", "{severity}", parse="json")
    call = a_call(Module(path=Path("a/b.py")), inputs=Inputs())

    assert perform(agent, call) == ["a/b.py", "--depth=3", "high"]


def test_an_item_that_is_text_or_a_mapping_gives_values_too() -> None:
    assert perform(python(ECHO, "{item}", parse="json"), a_call("x y")) == ["x y"]
    assert perform(python(ECHO, "{key}", parse="json"), a_call({"key": 7})) == ["7"]


def test_the_workspace_is_made_when_it_is_asked_for(tmp_path: Path) -> None:
    workspace = tmp_path / "deep" / "down"
    code = "import pathlib, sys; pathlib.Path(sys.argv[1], 'made').touch()"
    perform(python(code, "{workspace}"), a_call(workspace=workspace))

    assert (workspace / "made").exists()


def test_double_braces_are_braces() -> None:
    assert perform(python(ECHO, '{{"a": {depth}}}', parse="json"), a_call(inputs=Inputs())) == ['{"a": 3}']


def test_no_value_is_seen_by_a_shell() -> None:
    hostile = '$(touch x); `id` && "quoted" \'\n*'

    assert perform(python(ECHO, "{item}", parse="json"), a_call(hostile)) == [hostile]


# Mistakes in the definition


@pytest.mark.parametrize(
    "argument",
    ["{}", "{0}", "{item.__class__}", "{item[0]}", "{path!r}", "{path:>10}", "{path", "path}", "{a b}", '{"json": 1}'],
)
def test_a_placeholder_is_a_simple_name(argument: str) -> None:
    with pytest.raises(InvalidJob, match="braces that are meant"):
        command(["tool", argument])


@pytest.mark.parametrize(
    "args", [[], "ruff check", ["{tool}"], ["bin/{item}", "x"]], ids=["nothing", "one string", "named", "in a path"]
)
def test_a_command_is_a_list_with_a_fixed_program(args: Any) -> None:
    with pytest.raises(InvalidJob):
        command(args)


@pytest.mark.parametrize(
    ("argument", "takes_item", "known"),
    [
        ("{path}", False, True),
        ("{workspace}", False, True),
        ("{nothing}", False, False),
        ("{item}", False, False),
        ("{item}", True, True),
        ("{a_field_of_the_item}", True, True),  # only the first call can tell
    ],
)
def test_an_unknown_placeholder_is_found_when_the_job_is_defined(argument: str, takes_item: bool, known: bool) -> None:
    agent = command(["tool", argument])
    shape = CallShape(inputs_type=Inputs, takes_item=takes_item)
    if known:
        assert agent.bind(shape) == agent
        return

    with pytest.raises(InvalidJob, match=r"inputs: path, depth"):
        agent.bind(shape)


def test_placeholders_of_folder_and_stdin_are_checked_as_well() -> None:
    for options in ({"cwd": "{nothing}"}, {"stdin": "{nothing}"}):
        with pytest.raises(InvalidJob, match="nothing"):
            command(["tool"], **options).bind(CallShape(inputs_type=NoInputs))


def test_a_field_that_the_item_does_not_have_is_named_at_the_call() -> None:
    with pytest.raises(
        InvalidJob, match=r"nothing gives \{nothing\} a value; known are brief, brief_text, depth, item, path"
    ):
        perform(python(ECHO, "{nothing}"), a_call(Module(path=Path("x")), inputs=Inputs()))


# Hostile values


@pytest.mark.parametrize(
    ("args", "refused"),
    [
        (["{item}"], True),
        (["check", "{item}"], True),
        (["{item}.py"], True),
        (["--", "{item}"], False),
        (["--", "first", "{item}"], False),
        (["--pattern", "{item}"], False),
        (["--pattern={item}"], False),
        (["./{item}"], False),
    ],
)
def test_a_value_cannot_become_an_option(args: list[str], refused: bool) -> None:
    agent = python(ECHO, *args, parse="json")
    call = a_call("--delete-everything")
    if not refused:
        assert "--delete-everything" in perform(agent, call)[-1]
        return

    with pytest.raises(InvalidInput, match="would act as an option"):
        perform(agent, call)


@pytest.mark.parametrize(
    ("value", "reason"),
    [("a\0b", "zero byte"), (None, "NoneType"), (["a"], "list"), (True, "bool"), (b"x", "bytes")],
)
def test_a_value_without_an_obvious_form_is_refused(value: Any, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        perform(python(ECHO, "{item}"), a_call(value))


# Output


@pytest.mark.parametrize(
    ("code", "options", "output"),
    [
        ("print('two\\nlines')", {}, "two\nlines\n"),
        ("print('two\\nlines')", {"parse": "lines"}, ["two", "lines"]),
        ("print('[1, 2]')", {"parse": "json"}, [1, 2]),
        ("print('[1, 2]')", {"output": list[int]}, [1, 2]),
        ("print('7')", {"output": int, "parse": "text"}, 7),
        ("print('a=1')", {"output": dict[str, int], "parse": lambda text: dict([text.strip().split("=")])}, {"a": 1}),
        ("import sys; sys.stdout.buffer.write(b'\\xff!')", {}, "\ufffd!"),
    ],
)
def test_stdout_is_parsed_and_validated(code: str, options: dict[str, Any], output: Any) -> None:
    assert perform(python(code, **options)) == output


def test_a_model_is_a_contract() -> None:
    code = "import json; print(json.dumps({'path': 'a.py', 'risks': ['eval']}))"
    outcome = asyncio.run(python(code, output=Report).perform(a_call()))

    assert outcome.output == Report(path="a.py", risks=["eval"])
    assert outcome.usage == Usage(calls=1)


@pytest.mark.parametrize(
    ("code", "options", "message"),
    [
        ("print('{\"path\": 1}')", {"output": Report}, "not a Report: 2 mismatches, the first at path"),
        ("print('no json')", {"output": Report}, "not a Report: 1 mismatches, the first at its output: Invalid JSON"),
        ("", {"output": Report}, "wrote nothing to stdout"),
        ("print(1)", {"parse": lambda text: text.nothing}, "could not be parsed: AttributeError"),
    ],
)
def test_output_that_is_not_the_contract_is_a_violation(code: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ContractViolation, match=message):
        perform(python(code, **options))


def test_more_output_than_allowed_stops_the_command() -> None:
    code = "while True: print('x' * 1000)"

    with pytest.raises(AgentFailed, match="more than 5000 bytes"):
        perform(python(code, limit_bytes=5000))


def test_an_error_quotes_the_end_of_an_endless_stderr() -> None:
    code = "import sys; sys.stderr.write('x' * 3_000_000 + 'the reason'); sys.exit(3)"

    with pytest.raises(AgentFailed, match=r"'tool' ended with exit code 3: x+the reason$") as failed:
        perform(python(code))

    assert len(str(failed.value)) < 2100


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import sys; sys.exit(1)", "ended with exit code 1 and wrote nothing to stderr"),
        ("import os; os.kill(os.getpid(), 9)", "was killed by SIGKILL"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGRTMIN + 3)", "was killed by signal"),
    ],
)
def test_a_bad_end_is_a_failure_that_says_how(code: str, message: str) -> None:
    with pytest.raises(AgentFailed, match=message) as failed:
        perform(python(code))

    assert not failed.value.passing


def test_exit_codes_that_are_fine_are_stated() -> None:
    assert perform(python("import sys; print('found'); sys.exit(1)", ok_exit_codes=(0, 1))) == "found\n"


SAYS_ERROR = 'print(\'{"is_error": true, "result": "no credit"}\')'


@pytest.mark.parametrize("options", [{"parse": "json"}, {"output": dict[str, Any]}, {"output": list[int]}], ids=str)
def test_json_that_says_it_is_an_error_is_one_whatever_the_exit_code(options: dict[str, Any]) -> None:
    """It was "completed"."""
    with pytest.raises(AgentFailed, match=r"its output says that it failed: .*no credit"):
        perform(python(SAYS_ERROR, **options))


@pytest.mark.parametrize(
    "code",
    ["print('{\"is_error\": false}')", "print('[{\"is_error\": true}]')", 'print(\'{"text": "is_error"}\')'],
)
def test_json_that_does_not_say_so_is_an_output(code: str) -> None:
    assert perform(python(code, parse="json"))


def test_what_failed_may_be_said_of_the_output() -> None:
    def without_result(found: dict[str, int]) -> str:
        return "" if found.get("done") else "it did nothing"

    counting = python("print('{\"done\": 0}')", output=dict[str, int], failed_when=without_result)

    with pytest.raises(AgentFailed, match="its output says that it failed: it did nothing"):
        perform(counting)
    assert perform(python("print('{\"done\": 1}')", output=dict[str, int], failed_when=without_result)) == {"done": 1}
    assert perform(python(SAYS_ERROR, parse="json", failed_when=lambda _: False))["result"] == "no credit"


# Surroundings


def test_stdin_is_empty_unless_given() -> None:
    code = "import sys; print(repr(sys.stdin.read()))"

    assert perform(python(code)) == "''\n"
    assert perform(python(code, stdin="depth {depth}"), a_call(inputs=Inputs())) == "'depth 3'\n"


def test_a_command_may_end_without_reading_what_it_is_given() -> None:
    assert perform(python("print('done')", stdin="x" * 10_000_000)) == "done\n"


def test_it_runs_in_the_folder_it_is_told(tmp_path: Path) -> None:
    agent = python("import os; print(os.getcwd())", cwd="{path}")

    assert perform(agent, a_call(inputs=Inputs(path=str(tmp_path)))).strip() == os.path.realpath(tmp_path)


def test_a_folder_that_is_not_there_is_named() -> None:
    with pytest.raises(InvalidInput, match="the folder does not exist"):
        perform(python("", cwd="/nowhere/at/all"))


def test_tools_of_the_same_environment_are_found_although_it_is_not_on_the_path(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    beside = Path(sys.executable)

    assert find_program(beside.name) == str(beside)
    assert find_program("env") is None
    assert find_program("env", "/usr/bin") == "/usr/bin/env"


def test_a_missing_tool_says_how_to_get_it() -> None:
    with pytest.raises(AgentFailed, match=r"'no-such-tool' is not installed.* -m pip install no-such-tool"):
        perform(command(["no-such-tool", "x"]))


def test_a_file_that_is_no_program_cannot_be_started(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF nothing")
    broken.chmod(0o755)

    with pytest.raises(AgentFailed, match="cannot be started"):
        perform(command([str(broken)]))


# Nothing is left behind

#: Starts a child of its own that tells its id through a pipe; both then wait for ever, deaf to SIGTERM
#: when told so, or until the first is told to leave.
FAMILY = """
import os, signal, subprocess, sys
if "deaf" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
grandchild = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
with open(sys.argv[1], "w") as pipe:
    pipe.write(f"{os.getpid()} {grandchild.pid}")
if "leave" in sys.argv:
    sys.exit(open(sys.argv[1]).read())
signal.pause()
"""


@pytest.mark.parametrize("manners", ["polite", "deaf"])
def test_a_cancelled_command_ends_with_its_children(pipe: Path, manners: str) -> None:
    async def cancelled() -> list[psutil.Process]:
        argv = [sys.executable, "-c", FAMILY, str(pipe), manners]
        running = asyncio.create_task(run_process(argv, limit_bytes=1000, grace_seconds=0.1))
        family = await asyncio.to_thread(family_of, pipe)
        assert all(process.is_running() for process in family)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return family

    assert all_end(asyncio.run(cancelled()))


def test_a_second_cancellation_does_not_save_it(pipe: Path) -> None:
    async def cancelled() -> list[psutil.Process]:
        argv = [sys.executable, "-c", FAMILY, str(pipe), "deaf"]
        running = asyncio.create_task(run_process(argv, limit_bytes=1000, grace_seconds=3600))
        family = await asyncio.to_thread(family_of, pipe)
        running.cancel()
        done, _ = await asyncio.wait([running], timeout=0.05)
        assert not done
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return family

    assert all_end(asyncio.run(cancelled()))


def test_a_command_that_takes_too_long_ends_with_its_children(pipe: Path) -> None:
    """Through the guard's timeout, as the engine does it."""

    async def late() -> tuple[Any, list[psutil.Process]]:
        reading = asyncio.create_task(asyncio.to_thread(family_of, pipe))
        agent = python(FAMILY, str(pipe))
        verdict = await Guard(Resilience(timeout_seconds=3, attempts=1)).call(lambda: agent.perform(a_call()))
        return verdict, await reading

    verdict, family = asyncio.run(late())

    assert "no answer within its 3 s" in str(verdict.error)
    assert len(family) == 2
    assert all_end(family)


def test_children_that_a_command_leaves_behind_end_with_it(pipe: Path) -> None:
    async def leaving() -> tuple[Finished, list[psutil.Process]]:
        argv = [sys.executable, "-c", FAMILY, str(pipe), "leave"]
        running = asyncio.create_task(run_process(argv, limit_bytes=1000))
        family = await asyncio.to_thread(family_of, pipe)
        await asyncio.to_thread(pipe.write_text, "go")
        return await running, family[1:]

    finished, left_behind = asyncio.run(leaving())

    assert (finished.exit_code, finished.stderr_tail) == (1, b"go\n")
    assert all_end(left_behind)


def test_a_child_that_has_left_the_group_does_not_hold_up_its_parent(pipe: Path) -> None:
    """It keeps the pipes open; what was written before is the output."""
    code = FAMILY.replace('signal.pause()"])', 'signal.pause()"], start_new_session=True)')

    async def leaving() -> tuple[Finished, list[psutil.Process]]:
        argv = [sys.executable, "-c", f"print('done', flush=True)\n{code}", str(pipe), "leave"]
        running = asyncio.create_task(run_process(argv, limit_bytes=1000, grace_seconds=0.1))
        family = await asyncio.to_thread(family_of, pipe)
        await asyncio.to_thread(pipe.write_text, "go")
        return await running, family[1:]

    finished, left = asyncio.run(leaving())
    for process in left:
        process.kill()

    assert finished.stdout == b"done\n"


def test_commands_leave_no_file_open() -> None:
    async def some(count: int) -> int:
        for _ in range(count):
            await run_process([sys.executable, "-c", ""], stdin=b"x", limit_bytes=100)
        return psutil.Process().num_fds()

    async def grown() -> int:
        return await some(5) - await some(2)

    assert asyncio.run(grown()) == 0


def test_commands_run_side_by_side(pipe: Path) -> None:
    """The first reads what the second writes: one after the other they would never end."""
    read, write = "import sys; print(open(sys.argv[1]).read())", "import sys; open(sys.argv[1], 'w').write('hello')"

    async def both() -> list[Finished]:
        argvs = ([sys.executable, "-c", code, str(pipe)] for code in (read, write))
        return await asyncio.gather(*(run_process(argv, limit_bytes=100) for argv in argvs))

    assert [finished.stdout for finished in asyncio.run(both())] == [b"hello\n", b""]


def test_every_error_of_a_command_is_one_that_can_be_explained() -> None:
    for agent in (python("import sys; sys.exit(1)"), command(["no-such-tool"]), python("", output=Report)):
        with pytest.raises(EchelonError):
            perform(agent)


@pytest.mark.parametrize(
    "secret", ["P4ssPlainSecretZZ99", "with 'quotes' and \"more\"", "two\nlines of it", "Schlüssel-42"]
)
@pytest.mark.parametrize("output", [None, dict])
def test_a_secret_that_a_command_was_given_does_not_come_back_in_what_it_writes(secret: str, output: Any) -> None:
    """Its output is kept, and shown by whoever reads it."""
    said = "print(json.dumps(dict(said=os.environ['KEY'])))" if output else "print('hi', os.environ['KEY'])"
    agent = command(
        [sys.executable, "-c", f"import json, os; {said}"],
        name="leaking",
        output=output,
        env={"KEY": SecretStr(secret)},
    )

    outcome = asyncio.run(agent.perform(a_call()))

    delivered = outcome.output["said"] if output else outcome.output
    assert "[secret]" in delivered
    assert secret not in delivered
