"""The dead-code survey: what vulture says nothing in the tree uses."""

import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from vulture.core import Item, Vulture

from contracts.surveys import DeadCodeSurvey, DeadItem
from echelon import Outcome, Workspace, agent
from tasks.discovery import discover
from tasks.sources import CleanCopy, clean_copy
from tasks.tools import TOOL_TIMEOUT_SECONDS, unread_concerns

#: From this confidence on everything counts, in per cent: unused imports, unreachable code, unused arguments.
SURE = 80
#: Below, only what is private counts: a public function may well be used from outside of the tree.
_PRIVATE = frozenset({"function", "class", "method"})


@agent(cpu_bound=True, timeout=TOOL_TIMEOUT_SECONDS)
def dead_code(path: Path, exclude: Sequence[str], max_bytes: int, workspace: Workspace) -> Outcome[DeadCodeSurvey]:
    """Find code that nothing in the tree uses."""
    with clean_copy(path, discover(path, exclude), max_bytes, workspace) as copy:
        unread = dict(copy.unread)
        found: dict[str, list[DeadItem]] = defaultdict(list)
        for item in _unused(copy, unread):
            module = copy.module_of(str(item.filename))
            if module is not None:
                found[module].append(_item(item))
        survey = DeadCodeSurvey(modules={module: tuple(items) for module, items in found.items()}, unread=unread)
        total = sum(map(len, found.values()))
        return Outcome(
            output=survey,
            summary=f"{total} unused pieces of code in {len(found)} modules",
            confidence=0.8,  # what is reached by name only, such as a plugin, looks unused
            concerns=unread_concerns("dead code", survey, told=copy.unread),
        )


def _unused(copy: CleanCopy, unread: dict[str, str]) -> Iterator[Item]:
    # A decorator registers what it decorates with somebody, so decorated code is never called dead.
    vulture = Vulture(ignore_decorators=["@*"])
    for name, module in copy.modules.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about the code under audit
                vulture.scan((copy.root / name).read_text("utf-8"), filename=str(copy.root / name))
        except RecursionError:
            unread[module.path] = "it is nested too deeply for vulture"
    return (item for item in vulture.get_unused_code(min_confidence=60) if _counts(item))


def _counts(item: Item) -> bool:
    private = item.name.startswith("_") and not item.name.endswith("__")
    return item.confidence >= SURE or (private and item.typ in _PRIVATE)


def _item(item: Item) -> DeadItem:
    return DeadItem(
        name=str(item.name),
        what=item.typ.replace("_", " "),
        line=max(1, item.first_lineno),
        lines=max(1, item.size),
        confidence=item.confidence / 100,
    )
