"""Running the command-line tools that the surveys rest on."""

import os
import shutil
import subprocess
import sysconfig
from collections.abc import Container, Mapping
from pathlib import Path

from contracts.surveys import Survey
from echelon import AgentFailed, Concern
from echelon.model.phrasing import count, head

#: The longest a tool may take over a whole tree, in seconds.
TOOL_TIMEOUT_SECONDS = 300.0
#: How many modules a concern names.
_NAMED = 20


def run_tool(
    *command: str,
    cwd: Path,
    timeout: float = TOOL_TIMEOUT_SECONDS,
    allowed: tuple[int, ...] = (0,),
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a tool in `cwd`; `AgentFailed` says how it can be made to work when it does not.

    It has the environment of this process, unless it is given another.
    """
    tool = command[0]
    try:
        done = subprocess.run(  # noqa: S603 - an argument list, no shell; the tool is found in our own environment first
            [_find(tool), *command[1:]],
            cwd=cwd,
            env=environment,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise AgentFailed(
            f"{tool} took longer than {timeout:g} s; exclude more, or audit a part", passing=True
        ) from error
    if done.returncode not in allowed:
        said = (done.stderr or done.stdout).strip()[-500:] or "nothing"
        raise AgentFailed(f"{tool} ended with exit code {done.returncode} and wrote: {said}")
    return done


def _find(tool: str) -> str:
    search = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)])
    found = shutil.which(tool, path=search)
    if found is None:
        raise AgentFailed(
            f"{tool} is not installed; install it, or the tools of the audit: pip install 'echelon[audit]'"
        )
    return found


def unread_concerns(tool: str, survey: Survey, told: Container[str]) -> tuple[Concern, ...]:
    """Say once which modules a tool did not see, except for those `told` of: their inspections fail with the reason."""
    named = [f"{path}: {reason}" for path, reason in sorted(survey.unread.items()) if path not in told]
    if not named:
        return ()
    modules = count(len(named), "module")
    return (
        Concern(
            about=tool,
            message=f"{tool} did not see {modules}; what it would say of them is not known",
            confidence=1.0,
            impact=0.3,
            evidence=tuple(head(named, _NAMED)),
        ),
    )
