"""What is found of each module by itself says together what a look at the whole tree says."""

import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vulture.core import Vulture

from contracts.scans import BatchScan
from echelon import AgentFailed, Handoffs
from echelon.journal.outputs import OutputStore
from echelon.model.handoff import Missing
from tasks.dead_code import dead_code
from tasks.discovery import DEFAULT_EXCLUDE
from tasks.inspecting import inspect_module
from tasks.scanning.batches import BATCHES, batches, scan_state
from tasks.scanning.scanning import scan_batch
from tasks.scanning.usage import SURE
from tests.unit.audit.building import BROKEN, LIMIT, hostile, scans, surveyed, tree
from tests.unit.audit.test_inspecting import shares

PIECES = (
    "import os\n",
    "from app.b import total as tally\n",
    "def _hidden(rows, unused):\n    return rows\n    print(rows)\n",
    "class _Quiet:\n    def _method(self):\n        return os\n",
    "_hidden(1, 2)\n",
    "x = _Quiet()._method\n",
    "while False:\n    y = 1\n",
    "__all__ = ['tally']\n",
    "print(getattr(x, '_method'), '{total}'.format(**locals()))\n",
    "def test_it(os):\n    assert os\n",
)
NAMES = ("app/__init__.py", "app/a.py", "app/B.py", "tests/test_a.py")
modules = st.lists(st.sampled_from(PIECES), max_size=4).map("".join)


def dead_at_once(root: Path) -> dict[str, set[tuple[str, str, int]]]:
    """Return what vulture finds where it is shown everything at once."""
    whole = Vulture(ignore_decorators=["@*"])
    for file in sorted(root.rglob("*.py")):
        whole.scan(file.read_text(), filename=f"/audited/{file.relative_to(root).as_posix()}")
    found: dict[str, set[tuple[str, str, int]]] = {}
    for item in whole.get_unused_code(min_confidence=60):
        private = item.name.startswith("_") and item.typ in {"function", "class", "method"}
        if item.confidence >= SURE or private:
            name = Path(item.filename).relative_to("/audited").as_posix()
            found.setdefault(name, set()).add((item.typ.replace("_", " "), item.name, item.first_lineno))
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.fixed_dictionaries(dict.fromkeys(NAMES, modules)))
def test_scans_of_modules_find_the_dead_code_that_a_look_at_all_of_them_finds(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, str]
) -> None:
    folder = tmp_path_factory.mktemp("scan")
    root = tree(folder / "tree", dict(files))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        at_once = dead_at_once(root)

    found = surveyed(dead_code, root, folder / "copy").output.modules

    assert {name: {(one.what, one.name, one.line) for one in items} for name, items in found.items()} == at_once


def test_a_module_stays_in_its_batch_whatever_comes_and_goes(tmp_path: Path) -> None:
    root = tree(tmp_path, {f"m{n}.py": f"X = {n}\n" for n in range(300)})
    before = {batch.key: batch for batch in batches(root, DEFAULT_EXCLUDE, LIMIT)}
    tree(root, {"m7.py": "X = 8\n", "new.py": ""})
    after = {batch.key: batch for batch in batches(root, DEFAULT_EXCLUDE, LIMIT)}

    changed = [key for key, batch in after.items() if scan_state(batch) != scan_state(before[key])]
    assert len(before) == len(after) == BATCHES
    assert sorted(name for key in changed for name in ("m7.py", "new.py") if name in after[key].modules) == [
        "m7.py",
        "new.py",
    ]
    assert len(changed) <= 2


def test_what_cannot_be_read_is_said_of_each_module(tmp_path: Path) -> None:
    root = hostile(tmp_path / "tree")
    said = {
        name: module
        for batch in scans(root, OutputStore(str(tmp_path / "outputs"))).outputs()
        for name, module in batch.modules.items()
    }

    unread = {name for name, module in said.items() if module.unread}
    assert {f"{name}.py" for name in BROKEN} < unread
    assert "empty.py" not in unread


def test_type_comments_that_vulture_does_not_read_are_no_proof_that_nothing_is_dead(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", {"a.py": "x = []  # type: list[\nimport os\n"})
    outcome = surveyed(dead_code, root, tmp_path / "copy")

    assert outcome.output.unread == {"a.py": "its type comments are not valid for vulture"}
    assert [concern.evidence for concern in outcome.concerns] == [
        ("a.py: its type comments are not valid for vulture",)
    ]


def test_modules_without_a_scan_are_not_called_free_of_dead_code(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", {"a.py": "import os\n"})
    lacking = Missing(task_id="scan/07", producer="scan_batch", reason="its process ended")
    nothing: Handoffs[BatchScan] = Handoffs([], (lacking,))

    outcome = dead_code(scan=nothing, path=root, exclude=DEFAULT_EXCLUDE)

    assert outcome.output.unread == {"a.py": "its scan is missing"}
    assert [concern.about for concern in outcome.concerns] == ["dead code"]


def test_a_file_that_changes_under_the_audit_is_not_recorded_as_what_it_was(tmp_path: Path) -> None:
    """Or it would be taken for that when it is changed back."""
    root = tree(tmp_path / "tree", {"a.py": "import os\n"})
    (batch,) = batches(root, DEFAULT_EXCLUDE, LIMIT)
    share = shares(OutputStore(str(tmp_path / "outputs")), root)["a.py"]
    tree(root, {"a.py": "x = 1\n"})

    changed = r"a\.py has changed since this audit began; audit again"
    with pytest.raises(AgentFailed, match=changed):
        scan_batch(batch, path=root, max_bytes=LIMIT)
    with pytest.raises(AgentFailed, match=changed):
        inspect_module(share, path=root, max_bytes=LIMIT)
