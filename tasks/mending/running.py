"""Running the programs that mend, without a shell; each ends with all its children, also when the run does."""

from collections.abc import Sequence
from pathlib import Path

from echelon import AgentFailed
from echelon.agents.command import find_program
from echelon.agents.environment import environment_of
from echelon.agents.processes.process import run_process

#: The most that a program may write to stdout, in bytes.
_LIMIT_BYTES = 32 * 1024 * 1024


async def run(program: str, *arguments: str, cwd: Path, stdin: str, env: Sequence[str] = ()) -> str:
    """Run a program and return what it wrote; `AgentFailed` says why it did not work.

    Of the environment it gets what every command of Echelon gets, and the variables that `env` names.
    """
    environment = environment_of(env, program)
    found = find_program(program, environment.search_path)
    if found is None:
        raise AgentFailed(f"{program} is not installed; install it, for ruff: pip install 'echelon[audit]'")
    try:
        done = await run_process(
            [found, *arguments], cwd=cwd, env=environment.of(), stdin=stdin.encode(), limit_bytes=_LIMIT_BYTES
        )
    except OSError as error:
        raise AgentFailed(f"{program} cannot be started: {error.strerror}") from error
    if done.stdout is None:
        raise AgentFailed(f"{program} wrote more than {_LIMIT_BYTES:,} bytes, and was ended")
    if done.exit_code != 0:
        said = done.stderr_tail.decode(errors="replace").strip()[-500:] or "nothing"
        raise AgentFailed(f"{program} ended with exit code {done.exit_code} and wrote: {said}")
    return done.stdout.decode(errors="replace")
