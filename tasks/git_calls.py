"""Calling git in a folder that may be hostile: every git call of the audit is built here, nowhere else.

A repository can name commands in its own configuration, and git runs them: to show a diff, to check a signature, to
look for changed files, to fetch an object that is missing. An audit reads code that nobody trusts yet, so none of
them may run, and nothing is fetched.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from tasks.tools import TOOL_TIMEOUT_SECONDS, run_tool

GitCommand = Literal["diff-tree", "log", "ls-tree", "merge-base", "rev-parse"]

#: The commands that are called, and what each has to be told on its own line because no setting does it.
_OWN_OPTIONS: Mapping[GitCommand, tuple[str, ...]] = MappingProxyType(
    {
        # Trees are compared with trees only: to look at files on the disk, git runs the filters that they name.
        "diff-tree": ("--no-ext-diff", "--no-textconv", "--submodule=short", f"-O{os.devnull}"),
        "ls-tree": (),
        "merge-base": (),
        "log": (
            *("--no-ext-diff", "--no-textconv", "--no-show-signature", "--submodule=short"),
            *(f"-O{os.devnull}", "--encoding=UTF-8"),  # no order of files, and no encoding, of the repository's choice
        ),
        "rev-parse": (),
    }
)

#: Settings that name a command or start one; given on the command line they come before those of the repository.
#: Where git wants a program, it gets one that does nothing: an empty name is not everywhere the same as none.
_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "core.fsmonitor": "false",
        "core.hooksPath": os.devnull,
        "core.pager": "cat",
        "core.editor": "false",
        "core.askPass": "false",
        "core.sshCommand": "false",
        "core.alternateRefsCommand": "true",
        "credential.helper": "",
        "diff.submodule": "short",
        "gpg.program": "false",
        "gpg.openpgp.program": "false",
        "gpg.x509.program": "false",
        "gpg.ssh.program": "false",
        "gpg.ssh.defaultKeyCommand": "false",
        "log.showSignature": "false",
        "protocol.allow": "never",
        "safe.bareRepository": "explicit",
        "submodule.recurse": "false",
    }
)

#: What the repository cannot overrule, and what has no setting.
_ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {
        "GIT_ALLOW_PROTOCOL": "none",  # before any protocol.*.allow; an older git knows no other way not to fetch
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_PAGER": "cat",
        "GIT_ASKPASS": "false",
        "GIT_SSH_COMMAND": "false",
        "GIT_PROXY_COMMAND": "false",
        "LC_ALL": "C",  # part of what git says is looked for
    }
)

#: What is kept of the git variables that this process has: where to stop looking for a repository, and where the
#: person's own configuration is, which says which folders of other people may be read (safe.directory). All others go:
#: they name commands or, in a hook, another repository.
_KEPT = frozenset(
    {
        *("GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM"),
        *("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"),
    }
)


def run_git(
    command: GitCommand, *arguments: str, cwd: Path, timeout: float = TOOL_TIMEOUT_SECONDS
) -> subprocess.CompletedProcess[str]:
    """Run git in `cwd`, and nothing that the repository there names; `AgentFailed` says why it did not work."""
    settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
    line = ("git", "--no-pager", *settings, command, *_OWN_OPTIONS[command], *arguments)
    return run_tool(*line, cwd=cwd, timeout=timeout, environment=_environment(os.environ))


def _environment(inherited: Mapping[str, str]) -> dict[str, str]:
    ours = {name: value for name, value in inherited.items() if not name.startswith("GIT_") or name in _KEPT}
    return {**ours, **_ENVIRONMENT}
