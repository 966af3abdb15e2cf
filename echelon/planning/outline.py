"""Read facts off a finished tree: its levels, the agents below each node, and what became of the labels (R2, D2)."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from echelon.model.phrasing import listed
from echelon.model.plan import Finding, FindingLevel, Node, NodeKind

LABELS_NAMED = 6  # labels named in a message; `where` has all of them


class Cohesion(NamedTuple):
    """Labels of several agents that no coordinator leads alone (D2)."""

    shared: tuple[str, ...]
    """All agents of the label report to one coordinator, together with others."""
    divided: tuple[str, ...]
    """The agents of the label report to several coordinators, with nobody above them for the label alone."""


def levels_of(tree: Sequence[Node]) -> int:
    """Return the coordinating levels of a tree: coordinators on the longest way from the root to an agent."""
    depth: dict[str | None, int] = {None: 0}
    for node in tree:
        depth[node.id] = depth[node.parent] + (node.kind is not NodeKind.AGENT)
    return max(depth.values())


def agents_below(tree: Sequence[Node]) -> dict[str, int]:
    """Return the number of agents below each node; an agent counts itself."""
    counts = dict.fromkeys((node.id for node in tree), 0)
    for node in reversed(tree):
        counts[node.id] += node.kind is NodeKind.AGENT
        if node.parent is not None:
            counts[node.parent] += counts[node.id]
    return counts


def cohesion(tree: Sequence[Node]) -> Cohesion:
    """Return the labels that have no coordinator of their own, in alphabetical order (D2)."""
    sizes = agents_below(tree)
    labelled = [node for node in tree if node.kind is NodeKind.AGENT and node.domain]
    total = Counter(node.domain for node in labelled)
    led = {node.domain for node in tree if node.domain and sizes[node.id] == total[node.domain]}
    leads: dict[str, set[str | None]] = defaultdict(set)
    for node in labelled:
        if node.domain and node.domain not in led:
            leads[node.domain].add(node.parent)
    return Cohesion(
        shared=tuple(sorted(label for label, parents in leads.items() if len(parents) == 1)),
        divided=tuple(sorted(label for label, parents in leads.items() if len(parents) > 1)),
    )


def label_findings(tree: Sequence[Node]) -> tuple[Finding, ...]:
    """Warn when labels had to share coordinators to keep the depth (D2); in a flat tree they share by design (R1)."""
    if levels_of(tree) == 1:
        return ()
    found = cohesion(tree)
    fates = (
        (found.shared, ("shares", "share"), "a lead with other domains", "give fewer domains, or a larger span"),
        (found.divided, ("is", "are"), "divided over several leads", "give smaller domains, or a larger span"),
    )
    return tuple(_finding(labels, verbs, fate, fix) for labels, verbs, fate, fix in fates if labels)


def _finding(labels: Sequence[str], verbs: tuple[str, str], fate: str, fix: str) -> Finding:
    one, many = verbs
    said = f"this domain {one} {fate}" if len(labels) == 1 else f"these domains {many} {fate}"
    named = listed(labels, LABELS_NAMED, repr)
    return Finding(
        rule="D2",
        level=FindingLevel.WARNING,
        where=", ".join(labels),
        message=f"{said}: {named}; a lead for each would need more levels than recommended",
        fix=fix,
    )
