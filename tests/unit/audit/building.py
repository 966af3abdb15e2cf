"""Trees to audit, and handoffs as the engine would deliver them: real files, a real output store."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from echelon import Handoffs, Outcome, Received, Workspace
from echelon.journal.outputs import OutputStore
from echelon.model.handoff import Handoff, Missing
from echelon.model.status import Status
from tasks.dead_code import dead_code
from tasks.discovery import DEFAULT_EXCLUDE
from tasks.scanning.batches import batches
from tasks.scanning.scanning import scan_batch

AT = datetime(2026, 1, 1, tzinfo=UTC)
LIMIT = 1_000_000  # bytes


def tree(root: Path, files: dict[str, str | bytes]) -> Path:
    """Write files below `root`."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


#: What is wrong with it → a file that no tool can read.
BROKEN: dict[str, bytes] = {
    "does_not_parse": b"def f(:\n",
    "null_bytes": b"x = 1\0\n",
    "latin_1_undeclared": 'x = "é"\n'.encode("latin-1"),
    "utf_16": "x = 1\n".encode("utf-16"),
    "unknown_encoding": b"# coding: klingon\nx = 1\n",
    "too_large": b"x = 1\n" * 200_000,
    "too_deep": b"x = " + b"(" * 5_000 + b")" * 5_000 + b"\n",
}


def hostile(root: Path) -> Path:
    """Make a tree with everything in it that breaks tools."""
    tree(root, {f"{name}.py": content for name, content in BROKEN.items()})
    tree(
        root,
        {
            "empty.py": "",
            "-rf.py": "x = 1\n",
            "ünï/модуль.py": "def функция():\n    return 1\n",
            "new\nline.py": "x = 1\n",
        },
    )
    tree(root, {"<img src=x onerror=alert(1)>.py": "eval(input())\n", "/".join(["deep"] * 40) + "/m.py": "x = 1\n"})
    tree(
        root,
        {
            "latin_1.py": '# coding: latin-1\nx = "é"\n'.encode("latin-1"),
            "bom.py": b"\xef\xbb\xbfx = 1\n",
            "folder.py/inner.py": "",
        },
    )
    (root / "loop").symlink_to(root)
    (root / "self.py").symlink_to(root / "self.py")
    (root / "dangling.py").symlink_to(root / "nowhere.py")
    (root / "alias.py").symlink_to(root / "empty.py")
    (root / "outside.py").symlink_to(os.__file__)
    os.mkfifo(root / "pipe.py")
    Path(os.fsdecode(os.fsencode(root) + b"/bad\xff.py")).write_text("x = 1\n")
    return root


def received(store: OutputStore, task_id: str, outcome: Any) -> Received[Any]:
    """Hand an output on by reference, as the engine does."""
    made = outcome if isinstance(outcome, Outcome) else Outcome(output=outcome)
    contract = type(made.output)
    handoff = Handoff(
        task_id=task_id,
        status=Status.COMPLETED,
        summary=made.summary,
        output_location=store.put("run", task_id, made.output, contract.__name__),
        producer=task_id,
        assignment_id=task_id,
        confidence=made.confidence,
        concerns=made.concerns,
    )
    return Received(handoff, store, contract)


def handoffs(store: OutputStore, outputs: dict[str, Any], missing: tuple[Missing, ...] = ()) -> Handoffs[Any]:
    """Hand several outputs on."""
    return Handoffs([received(store, task_id, output) for task_id, output in outputs.items()], missing)


def scans(root: Path, store: OutputStore, exclude: Sequence[str] = DEFAULT_EXCLUDE) -> Handoffs[Any]:
    """Scan a tree, and hand on what the scans say, as the job does."""
    found = batches(root, exclude, LIMIT)
    return handoffs(store, {f"scan/{batch.key}": scan_batch(batch, path=root, max_bytes=LIMIT) for batch in found})


def surveyed(survey: Any, root: Path, workspace: Path, exclude: Sequence[str] = DEFAULT_EXCLUDE) -> Any:
    """Do one survey of a tree, with a scan of its own before it, in a folder that it may use."""
    workspace.mkdir(exist_ok=True)
    given: dict[str, Any] = {"path": root, "exclude": exclude}
    if survey is not dead_code:  # it reads nothing but the scan
        given |= {"max_bytes": LIMIT, "workspace": Workspace(workspace)}
    return survey(scan=scans(root, OutputStore(f"{workspace}.scans"), exclude), **given)


def git(root: Path, *arguments: str, author: str = "ann") -> None:
    """Run git in `root` as somebody."""
    who = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", author), ("EMAIL", f"{author}@example.org"))
    }
    environment = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *arguments], cwd=root, env=environment, check=True, capture_output=True, timeout=60)
