"""Whatever is edited between two audits: an incremental one says what a full one says, and does what is affected."""

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.surveys import HistorySurvey
from echelon.journal.outputs import OutputStore
from echelon.model.run import RunResult
from flows.audit import audit
from tasks.dead_code import dead_code
from tasks.discovery import DEFAULT_EXCLUDE
from tasks.duplicates import duplication
from tasks.importing import imports
from tasks.inventory import inventory
from tasks.linting import lint
from tasks.shares import inspections
from tests.unit.audit.building import LIMIT, git, handoffs, surveyed, tree

pytestmark = [pytest.mark.engine, pytest.mark.anyio, pytest.mark.timeout(240)]

COPIED = "def total(rows):\n" + "".join(f"    x{n} = rows[{n}] * {n}\n" for n in range(10)) + "    return x9\n"
#: What modules are put together from: each is something that another module, or its inspection, takes notice of.
PIECES = (
    "import app.a\n",
    "from lib.b import total\n",
    "def _hidden():\n    return 1\n",
    "y = c._hidden()\n",
    COPIED,
    "z = eval(input())\n",
    "def broken(:\n",
)
NAMES = ("app/__init__.py", "app/a.py", "app/c.py", "lib/b.py", "lib/d.py")
names = st.sampled_from(NAMES)
contents = st.lists(st.sampled_from(PIECES), max_size=3, unique=True).map("".join)
#: What is done between two runs.
edits = st.one_of(
    st.tuples(st.just("write"), names, contents),
    st.tuples(st.just("delete"), names),
    st.tuples(st.just("rename"), names, st.sampled_from(("app/new.py", "lib/new.py"))),
    st.tuples(st.just("exclude"), st.sampled_from(("lib", "app", ""))),
    st.tuples(st.just("commit")),
)


class Tree:
    """A code base that is edited and audited, again and again."""

    def __init__(self, folder: Path, files: dict[str, str]) -> None:
        self.root = tree(folder / "tree", dict(files))
        self.exclude: tuple[str, ...] = DEFAULT_EXCLUDE
        self._folder = folder
        git(self.root, "init", "-q")
        self.edit(("commit",))

    def edit(self, edit: Sequence[str]) -> None:
        """Do what somebody does between two audits."""
        match edit:
            case ["write", name, content]:
                tree(self.root, {name: content})
            case ["delete", name]:
                (self.root / name).unlink(missing_ok=True)
            case ["rename", name, new] if (self.root / name).exists():
                (self.root / name).rename(self.root / new)
            case ["exclude", folder]:
                self.exclude = (*DEFAULT_EXCLUDE, *filter(None, [folder]))
            case ["commit"]:
                git(self.root, "add", "-A")
                git(self.root, "commit", "-qm", "more", "--allow-empty")
            case _:
                pass

    async def audited(self, home: str, patch: pytest.MonkeyPatch, *, fresh: bool = False) -> RunResult:
        """Audit the tree, with what earlier audits in that home left behind."""
        patch.setenv("ECHELON_HOME", str(self._folder / home))
        return await (audit.run_fresh if fresh else audit.run)(path=self.root, exclude=self.exclude)

    def digests(self) -> dict[str, str]:
        """Return what each inspection is made from, found here, by no run."""
        store = OutputStore(str(self._folder / "shares"))
        found = {f"survey/{one.name}": self._surveyed(one) for one in (lint, dead_code, duplication, imports)}
        listed = inventory(path=self.root, exclude=self.exclude, max_bytes=LIMIT, changed_since=None)
        found["survey/inventory"], found["survey/history"] = listed, HistorySurvey()
        return {one.module.path: one.digest for one in inspections(handoffs(store, found))}

    def _surveyed(self, survey: Any) -> Any:
        return surveyed(survey, self.root, self._folder / "copy", self.exclude)


def said(result: RunResult) -> dict[str, Any]:
    """Return what an audit says; who did the work, and in which run, does not count."""
    output = json.loads(json.dumps(result.output))
    for tool in output["tools"]:
        tool["said"] = tool["said"].partition(" (kept from ")[0]
    return output


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    files=st.fixed_dictionaries(dict.fromkeys(NAMES, contents)),
    steps=st.lists(st.lists(edits, min_size=1, max_size=3), min_size=1, max_size=2),
)
async def test_after_any_edits_an_incremental_audit_says_what_a_full_one_says(
    monkeypatch: pytest.MonkeyPatch, files: dict[str, str], steps: list[list[Sequence[str]]]
) -> None:
    monkeypatch.setenv("ECHELON_PICTURE", "false")
    known: set[tuple[str, str]] = set()
    with TemporaryDirectory() as folder:
        code = Tree(Path(folder), files)
        for edited in [[], *steps]:
            for edit in edited:
                code.edit(edit)

            incremental = await code.audited("incremental", monkeypatch)
            full = await code.audited("full", monkeypatch, fresh=True)

            assert said(incremental) == said(full)
            assert sorted(incremental.missing, key=str) == sorted(full.missing, key=str)
            made_from = set(code.digests().items())
            kept = {task.removeprefix("inspect/") for task in incremental.items["inspect"].kept}
            assert kept == {path for path, digest in made_from if (path, digest) in known}
            failed = {one.task_id.removeprefix("inspect/") for one in incremental.missing}
            known |= {(path, digest) for path, digest in made_from if path not in failed}
