"""The checklist as people read it: one table a section, what is proven, and what to do about the rest."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from echelon.cli.views.output import table
from echelon.visibility.checklist.answers import ChecklistItem, ItemState, Section

MARKS: dict[ItemState, tuple[str, str]] = {
    ItemState.DONE: ("✓", "green"),
    ItemState.NOT_DONE: ("✗", "red"),
    ItemState.NOT_APPLICABLE: ("–", "dim"),
}


def show_checklist(console: Console, items: Sequence[ChecklistItem]) -> None:
    """Print the items by section, then a line of counts."""
    for section in Section:
        mine = [item for item in items if item.phase is section]
        rows = table("", "what is asked", "proof, or what to do", title=f"{section.title()}: {counts(mine)}")
        for item in mine:
            mark, style = MARKS[item.state]
            rows.add_row(Text(mark, style=style), item.text, _found(item))
        console.print(rows)
        console.print()
    console.print(Text(f"{len(items)} items: {counts(items)}", style="bold"))


def counts(items: Sequence[ChecklistItem]) -> str:
    """Return `12 done, 2 not done, 1 not applicable`."""
    found = Counter(item.state for item in items)
    return ", ".join(f"{found[state]} {state.replace('_', ' ')}" for state in ItemState)


def _found(item: ChecklistItem) -> Text:
    return Text.assemble(item.proof, (f"\n→ {item.fix}", "dim")) if item.fix else Text(item.proof)
