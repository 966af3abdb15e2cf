"""Files that several tasks changed, each in a copy of its own, are claims: only one content can be kept (X9). Pure.

Which files are the same is not a matter of their names: they lie in copies of one tree, or the tasks say that they
touch it. In a folder that several share there is one file, and nobody can tell who left it as it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from echelon.contract.claims import FieldClaim
from echelon.model.verification.trace import ChangedFolder

#: The field in which contents differ, and how much of a digest is said.
CONTENT, SAID = "content", 12


class Touched(NamedTuple):
    """What one task changed."""

    task_id: str
    folders: Sequence[ChangedFolder]
    touches: Sequence[str] = ()
    """Shared things that it says it touches: paths of files or folders among them."""


class _Change(NamedTuple):
    task_id: str
    folder: str
    digest: str


def file_claims(touched: Sequence[Touched]) -> dict[str, tuple[FieldClaim, ...]]:
    """Return what each task claims about files that others have changed, too, in folders of their own."""
    changes: dict[tuple[str, str], list[_Change]] = {}
    for one in touched:
        for path, tree, change in _changes(one):
            changes.setdefault((path, tree), []).append(change)
    shared = {key: apart for key, found in changes.items() if len(apart := _apart(found)) > 1}
    trees = [path for path, _ in shared]
    claims: dict[str, list[FieldClaim]] = {}
    for (path, tree), found in shared.items():
        subject = f"file:{path}" if trees.count(path) == 1 else f"file:{path} of {tree[:SAID]}"
        for change in found:
            content = f"{change.digest[:SAID]} in" if change.digest else "taken away from"
            said = FieldClaim(subject, CONTENT, change.digest or "taken away", f"{content} {change.folder}")
            claims.setdefault(change.task_id, []).append(said)
    return {task: tuple(own) for task, own in claims.items()}


def _changes(one: Touched) -> Iterator[tuple[str, str, _Change]]:
    for folder in one.folders:
        for path, digest in folder.files.items():
            tree = "touched" if _is_touched(path, one.touches) else folder.tree
            if tree:
                yield path, tree, _Change(one.task_id, folder.folder, digest)


def _is_touched(path: str, touches: Sequence[str]) -> bool:
    return any(path == thing or path.startswith(f"{thing.rstrip('/')}/") for thing in touches if thing)


def _apart(changes: Sequence[_Change]) -> list[_Change]:
    """Return the changes of those who had a folder to themselves."""
    tasks: Mapping[str, set[str]] = {one.folder: set() for one in changes}
    for one in changes:
        tasks[one.folder].add(one.task_id)
    return [one for one in changes if len(tasks[one.folder]) == 1]
