"""An inspection may be taken over from an earlier run: where the digest is the same, a new one would find the same."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.inspections import Inspection
from echelon import AgentFailed, Outcome
from echelon.journal.outputs import OutputStore
from tasks.baseline.tree_state import tree_state
from tasks.dead_code import dead_code
from tasks.discovery import DEFAULT_EXCLUDE
from tasks.duplicates import duplication
from tasks.importing import imports
from tasks.inspecting import inspect_module
from tasks.inventory import inventory
from tasks.linting import lint
from tasks.shares import inspections
from tests.unit.audit.building import LIMIT, git, handoffs, surveyed, tree

NAMES = ("app/__init__.py", "app/a.py", "app/b.py", "app/c.py")
COPIED = "def total(rows):\n" + "".join(f"    x{n} = rows[{n}] * {n}\n" for n in range(10)) + "    return x9\n"
#: What modules are put together from: each is something that another module, or its inspection, takes notice of.
PIECES = (
    "import app.a\n",
    "from app.b import total\n",
    "from app import c\n",
    "def _hidden():\n    return 1\n",
    "y = c._hidden()\n",
    COPIED,
    "z = eval(input())\n",
    "def deep(a):\n" + "".join(f"    if a == {n}:\n        return {n}\n" for n in range(12)),
    "def broken(:\n",
    "# nothing\n",
)
modules = st.lists(st.sampled_from(PIECES), max_size=4, unique=True).map("".join)
trees = st.fixed_dictionaries(dict.fromkeys(NAMES, modules))
edits = st.lists(st.tuples(st.sampled_from(NAMES), modules | st.none()), min_size=1, max_size=2)


class Audit:
    """Surveys and inspections of one tree, as the job does them."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "tree"
        self._folder = folder
        self._store = OutputStore(str(folder / "outputs"))

    def shares(self) -> dict[str, Inspection]:
        found: dict[str, Any] = {
            f"survey/{survey.name}": surveyed(survey, self.root, self._folder / "copy")
            for survey in (lint, dead_code, duplication, imports)
        }
        listed = inventory(path=self.root, exclude=DEFAULT_EXCLUDE, max_bytes=LIMIT, changed_since=None)
        given = handoffs(self._store, {"survey/inventory": listed, **found})
        return {one.module.path: one for one in inspections(given)}

    def found(self, share: Inspection) -> Outcome[Any] | str:
        try:
            return inspect_module(share, path=self.root, max_bytes=LIMIT)
        except AgentFailed as failure:
            return str(failure)


@pytest.fixture
def audits(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Audit]:
    return lambda: Audit(tmp_path_factory.mktemp("audit"))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=trees, changes=edits)
def test_after_any_edits_what_is_taken_over_is_what_would_be_found(
    audits: Callable[[], Audit], files: dict[str, str], changes: list[tuple[str, str | None]]
) -> None:
    audit = audits()
    tree(audit.root, dict(files))
    before = {share.digest: audit.found(share) for share in audit.shares().values()}
    for name, content in changes:
        (audit.root / name).unlink(missing_ok=True)
        tree(audit.root, {} if content is None else {name: content})

    incremental, full = {}, {}
    for path, share in audit.shares().items():
        full[path] = audit.found(share)
        incremental[path] = before.get(share.digest, full[path])

    assert incremental == full


def test_after_one_changed_file_it_and_what_is_told_of_it_are_inspected_again(tmp_path: Path) -> None:
    audit = Audit(tmp_path)
    tree(
        audit.root,
        {
            "app/__init__.py": "",
            "app/a.py": f"from app import b\n\n{COPIED}",
            "app/b.py": "def _hidden():\n    return 1\n",
            "app/c.py": COPIED,
            "app/d.py": "from app import a\n",
        },
    )
    before = audit.shares()
    unchanged = audit.shares()
    tree(audit.root, {"app/a.py": f"from app import b\n\n\n{COPIED}\n\nb._hidden()\n"})
    after = audit.shares()

    assert unchanged == before
    assert {path for path in after if after[path].digest != before[path].digest} == {
        "app/a.py",  # changed
        "app/b.py",  # what was unused in it is used now
        "app/c.py",  # what it has in common with a.py is in other lines there
    }


def test_surveys_depend_on_every_file_that_they_look_at_and_on_the_commit(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", {"a.py": "A = 1\n", "b.py": "B = 1\n", "notes.txt": "x"})

    def state(**changed: Any) -> str:
        given: dict[str, Any] = {"path": root, "exclude": DEFAULT_EXCLUDE, "max_bytes": LIMIT, "changed_since": None}
        return tree_state(**{**given, **changed})

    states = [state(), state()]
    tree(root, {"notes.txt": "y"})
    states.append(state())
    assert len(set(states)) == 1, "what is no module is looked at by nobody"

    git(root, "init", "-q")
    git(root, "add", "a.py")
    git(root, "commit", "-qm", "first")
    states.append(state())
    states.append(state(changed_since="HEAD"))
    tree(root, {"b.py": "B = 2\n"})
    states.append(state())
    states.append(state(max_bytes=3))
    (root / "a.py").rename(root / "c.py")
    states.append(state())
    assert len(set(states)) == 6
