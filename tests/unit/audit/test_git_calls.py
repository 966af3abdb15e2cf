"""Nothing that an audited repository names is run: each trap is an executable that leaves a file when it was."""

import subprocess
from pathlib import Path

import pytest

from tasks.baseline.since import renamed_between
from tasks.git_calls import run_git
from tasks.inventory import inventory
from tasks.versioning import history
from tests.unit.audit.building import LIMIT, git, tree

#: Settings whose value is run, directly or through a shell.
NAMING_A_COMMAND = (
    *("core.fsmonitor", "core.pager", "core.editor", "core.askPass", "core.sshCommand", "core.gitProxy"),
    *("core.alternateRefsCommand", "credential.helper", "sequence.editor", "interactive.diffFilter"),
    *("diff.external", "diff.trap.command", "diff.trap.textconv", "filter.trap.clean", "filter.trap.smudge"),
    *("filter.trap.process", "merge.trap.driver", "pager.log", "pager.rev-parse", "uploadpack.packObjectsHook"),
    *("gpg.program", "gpg.openpgp.program", "gpg.x509.program", "gpg.ssh.program", "gpg.ssh.defaultKeyCommand"),
)
#: Settings that make git run what others name.
STARTING_COMMANDS = {
    "log.showSignature": "true",
    "log.diffMerges": "on",
    "log.mailmap": "true",
    "diff.submodule": "diff",
    "submodule.recurse": "true",
    "protocol.allow": "always",
    "protocol.ext.allow": "always",
    "protocol.file.allow": "always",
    "fetch.recurseSubmodules": "true",
    "color.ui": "always",
    "diff.orderFile": "/no/such/file",
    "i18n.logOutputEncoding": "UTF-16",
}
#: Aliases are run by a shell when they begin with an exclamation mark.
ALIASES = ("log", "rev-parse")
HOOKS = ("post-index-change", "reference-transaction", "fsmonitor-watchman", "post-checkout", "pre-auto-gc")
#: Variables that name commands, or a configuration that does.
VARIABLES = (
    *("GIT_EXTERNAL_DIFF", "GIT_PAGER", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_PROXY_COMMAND"),
    *("GIT_EDITOR", "GIT_SEQUENCE_EDITOR"),
)

SIGNED = """\
tree {tree}
parent {parent}
author ann <ann@example.org> {at} +0000
committer ann <ann@example.org> {at} +0000
gpgsig -----BEGIN PGP SIGNATURE-----
 
 iQ==
 -----END PGP SIGNATURE-----

signed by nobody
"""  # noqa: W293 - an empty line of a signature begins with a space


class Traps:
    """Executables, each of which leaves a witness when it is run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "traps"
        self._witnesses = folder / "witnesses"
        self._folder.mkdir()
        self._witnesses.mkdir()

    def lay(self, name: str) -> str:
        """Make a trap, and return its path."""
        trap = self._folder / name
        trap.write_text(f"#!/bin/sh\n: > '{self._witnesses / name}'\n")
        trap.chmod(0o755)
        return str(trap)

    @property
    def sprung(self) -> set[str]:
        return {witness.name for witness in self._witnesses.iterdir()}


@pytest.fixture
def traps(tmp_path: Path) -> Traps:
    return Traps(tmp_path)


def told(root: Path, *arguments: str, given: str = "") -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=root, input=given, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def hostile(tmp_path: Path, traps: Traps) -> Path:
    """A repository of three commits, the newest signed, which names a command wherever git would run one."""
    root = tree(tmp_path / "hostile", {"m.py": "x = 1\n", ".gitattributes": "* diff=trap filter=trap merge=trap\n"})
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    tree(root, {"m.py": "x = 2\n"})
    git(root, "commit", "-qam", "second")
    at = told(root, "log", "-1", "--format=%ct")
    tree(root, {"m.py": "x = 3\n"})
    git(root, "add", "-A")
    commit = SIGNED.format(tree=told(root, "write-tree"), parent=told(root, "rev-parse", "HEAD"), at=at)
    git(root, "reset", "-q", "--soft", told(root, "hash-object", "-t", "commit", "-w", "--stdin", given=commit))
    tree(root, {"m.py": "x = 4\n"})  # not committed, so that git has something to look at
    for hook in HOOKS:
        Path(traps.lay(f"hook.{hook}")).rename(root / ".git" / "hooks" / hook)
    for key in NAMING_A_COMMAND:
        git(root, "config", key, traps.lay(key))
    for name in ALIASES:
        git(root, "config", f"alias.{name}", f"!{traps.lay(f'alias.{name}')}")
    for key, value in STARTING_COMMANDS.items():
        git(root, "config", key, value)
    return root


def test_the_traps_work(hostile: Path, traps: Traps) -> None:
    """What git runs when nobody is careful; without this the tests below would prove nothing.

    One trap hides another, so one after the other is taken away.
    """
    hiding = ("diff.orderFile", "filter.trap.process", "diff.trap.command", "diff.external", "diff.trap.textconv")
    for name in hiding:
        git(hostile, "config", "--unset", name)
        for command in (["log", "-p", "--ext-diff"], ["status"]):
            subprocess.run(["git", *command], cwd=hostile, capture_output=True, timeout=60, check=False)

    assert traps.sprung >= {*hiding[1:], "core.fsmonitor", "filter.trap.clean", "gpg.openpgp.program"}


def test_nothing_that_the_repository_configures_is_run_and_its_history_is_read(hostile: Path, traps: Traps) -> None:
    survey = history(path=hostile, exclude=()).output

    assert traps.sprung == set()
    assert (survey.commits, survey.modules["m.py"].commits) == (3, 3)


def test_changes_are_found_without_running_anything_either(hostile: Path, traps: Traps) -> None:
    """What is not committed is compared, too, and git would filter it."""
    found = inventory(path=hostile, exclude=(), max_bytes=LIMIT, changed_since="HEAD~1").output
    first, newest = told(hostile, "rev-parse", "HEAD~2"), told(hostile, "rev-parse", "HEAD")
    traps_before = traps.sprung
    moved = renamed_between(hostile, first, newest)

    assert (traps_before, traps.sprung) == (set(), set())
    assert [path for path, file in found.modules.items() if file.changed] == ["m.py"]
    assert moved == {}


def test_nothing_that_the_environment_names_is_run_and_no_other_repository_read(
    hostile: Path, traps: Traps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hook of git, or a script, may start the audit with git variables set; they are not about the audited folder."""
    for name in VARIABLES:
        monkeypatch.setenv(name, traps.lay(name))
    settings = {"core.fsmonitor": traps.lay("count"), "log.showSignature": "true", "gpg.program": traps.lay("gpg")}
    monkeypatch.setenv("GIT_CONFIG_COUNT", str(len(settings)))
    for number, (key, value) in enumerate(settings.items()):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", key)
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", value)
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", f"'core.fsmonitor'='{traps.lay('parameters')}'")
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_EXEC_PATH"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))

    assert history(path=hostile, exclude=()).output.commits == 3
    assert traps.sprung == set()
    assert not (tmp_path / "trace").exists()


#: How a clone that lacks objects says where to get them, each way with a command of its own.
PROMISES = {
    "ext": {"url": "ext::{trap}"},
    "file": {"url": "{root}", "uploadpack": "{trap}"},
    "ssh": {"url": "ssh://localhost/x"},
    "git": {"url": "git://localhost:9/x"},
}


@pytest.mark.parametrize("way", PROMISES)
def test_an_object_that_is_missing_is_not_fetched(hostile: Path, traps: Traps, way: str) -> None:
    """Git fetches what a partial clone lacks when a log needs it, by whatever the repository says."""
    lack_an_object(hostile, traps, way)
    survey = history(path=hostile, exclude=())

    assert traps.sprung == set()
    assert "no git history: the clone lacks objects" in survey.output.note


@pytest.mark.parametrize("way", PROMISES)
def test_the_traps_for_missing_objects_work(hostile: Path, traps: Traps, way: str) -> None:
    lack_an_object(hostile, traps, way)
    subprocess.run(["git", "log", "--numstat"], cwd=hostile, capture_output=True, timeout=60, check=False)

    assert traps.sprung & {"promise", "core.sshCommand", "core.gitProxy"}


def lack_an_object(root: Path, traps: Traps, way: str) -> None:
    blob = told(root, "rev-parse", "HEAD~1:m.py")
    (root / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    git(root, "config", "core.repositoryFormatVersion", "1")
    git(root, "config", "extensions.partialClone", "evil")
    git(root, "config", "remote.evil.promisor", "true")
    trap = traps.lay("promise")
    for key, value in PROMISES[way].items():
        git(root, "config", f"remote.evil.{key}", value.format(trap=trap, root=root))


def test_the_persons_own_configuration_is_read(hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says which folders of other people may be read, and git runs as that person."""
    own = tree(hostile.parent, {"own.ini": "[core]\n\tabbrev = 13\n"}) / "own.ini"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(own))

    assert len(run_git("rev-parse", "--short", "HEAD", cwd=hostile).stdout.strip()) == 13
