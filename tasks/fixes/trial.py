"""A command of the project, such as its tests, on a copy with the fixes: without a shell, and without our secrets.

It runs what is audited, so it runs only where a person stated it. Its copy holds no links: what it writes stays there.
"""

import asyncio
import os
import shutil
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from contracts.fixes import FileFix
from echelon import AgentFailed
from echelon.agents.command import find_program
from echelon.agents.environment import environment_of
from echelon.agents.processes.process import run_process
from tasks.discovery import is_excluded

#: The most that the command may write, in bytes.
_LIMIT_BYTES = 32 * 1024 * 1024
#: How much of what it wrote a reason holds, in characters.
_SAID = 500


async def why_it_fails(
    command: Sequence[str], root: Path, exclude: Sequence[str], fixes: Sequence[FileFix], folder: Path
) -> str:
    """Run a command in a copy of the tree with the fixes; say how it failed, empty when it did not."""
    program, *arguments = command
    environment = environment_of((), program)
    found = find_program(program, environment.search_path)
    if found is None:
        raise AgentFailed(f"{program}, which is to try the fixes, is not installed; install it, or state another check")
    try:
        await asyncio.to_thread(_copy, root, exclude, fixes, folder)
        done = await run_process([found, *arguments], cwd=folder, env=environment.of(), limit_bytes=_LIMIT_BYTES)
    except OSError as error:
        raise AgentFailed(f"{' '.join(command)} could not try the fixes: {error.strerror or error}") from error
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    if done.exit_code == 0:
        return ""
    if done.stdout is None:
        return f"{' '.join(command)} wrote more than {_LIMIT_BYTES:,} bytes with the fixes, and was ended"
    said = (done.stdout + done.stderr_tail).decode(errors="replace").strip()[-_SAID:] or "nothing"
    return f"{' '.join(command)} ended with exit code {done.exit_code} with the fixes, and wrote: {said}"


def _copy(root: Path, exclude: Sequence[str], fixes: Sequence[FileFix], folder: Path) -> None:
    shutil.copytree(root, folder, ignore=_left_out(root, exclude))
    for one in fixes:
        (folder / one.path).write_bytes(one.text.encode())


def _left_out(root: Path, exclude: Sequence[str]) -> Callable[[str, list[str]], list[str]]:
    def left_out(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if not _is_copied(root, Path(folder, name), exclude)]

    return left_out


def _is_copied(root: Path, path: Path, exclude: Sequence[str]) -> bool:
    mode = os.lstat(path).st_mode
    if stat.S_ISDIR(mode):
        return not is_excluded(root, path.relative_to(root), exclude)
    return stat.S_ISREG(mode)
