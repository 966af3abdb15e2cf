"""What vulture says of one module by itself: what it defines that may be dead, and which names it uses."""

import warnings

from vulture.core import Item, Vulture
from vulture.utils import ExitCode

from contracts.scans import ModuleScan
from contracts.surveys import DeadItem

#: From this confidence on everything counts, in per cent: unused imports, unreachable code, unused arguments.
SURE = 80
#: Below, only what is private counts: a public function may well be used from outside of the tree.
_PRIVATE = frozenset({"function", "class", "method"})
#: Where the file seems to be: whatever the folder is called that is audited, it makes no module a test.
_ROOT = "/audited"


def usage_of(source: str, name: str) -> ModuleScan:
    """Return what a module called `name`, with its packages, defines and uses."""
    # A decorator registers what it decorates with somebody, so decorated code is never called dead.
    vulture = Vulture(ignore_decorators=["@*"])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the code under audit
            vulture.scan(source, filename=f"{_ROOT}/{name}")
    except RecursionError:
        return ModuleScan(unseen="it is nested too deeply for vulture")
    if vulture.exit_code is not ExitCode.NoDeadCode:
        return ModuleScan(unseen="its type comments are not valid for vulture")
    used = tuple(sorted(vulture.used_names))
    vulture.used_names.clear()  # so that it tells of everything that it defines
    defined = [_item(item) for item in vulture.get_unused_code(min_confidence=60) if _counts(item)]
    return ModuleScan(defined=tuple(sorted(defined, key=_place)), used=used)


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


def _place(item: DeadItem) -> tuple[int, str, str, int]:
    return item.line, item.what, item.name, item.lines
