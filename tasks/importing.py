"""The import survey: who imports whom, which imports run in circles, and how far a change reaches."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import networkx as nx

from contracts.modules import Module
from contracts.scans import BatchScan
from contracts.surveys import ImportSurvey, Links, PackageLinks
from echelon import Handoffs, Outcome, Workspace, agent
from tasks.discovery import discover
from tasks.scanning.scanned import unread_in
from tasks.sources import CleanCopy, clean_copy
from tasks.tools import TOOL_TIMEOUT_SECONDS, run_tool

_RUFF = ("ruff", "analyze", "graph", "--isolated", "--quiet", "--no-type-checking-imports")
#: The most folders that imports are looked up in.
_MAX_ROOTS = 200


@agent(cpu_bound=True, timeout=TOOL_TIMEOUT_SECONDS + 60)
def imports(
    scan: Handoffs[BatchScan], path: Path, exclude: Sequence[str], max_bytes: int, workspace: Workspace
) -> Outcome[ImportSurvey]:
    """Find who imports whom, import cycles, and how many modules depend on each."""
    with clean_copy(path, discover(path, exclude), max_bytes, workspace, unread_in(scan)) as copy:
        survey = follow_imports(copy)
        links = sum(one.imports for one in survey.modules.values())
        return Outcome(
            output=survey,
            summary=f"{links} imports between {len(survey.modules)} modules, {len(survey.cycles)} import cycles",
        )


def follow_imports(copy: CleanCopy) -> ImportSurvey:
    """Return who imports whom in a copy."""
    roots = json.dumps(import_roots(copy.modules))
    done = run_tool(*_RUFF, "--config=exclude=[]", f"--config=src={roots}", ".", cwd=copy.root)
    graph = _graph(copy, json.loads(done.stdout or "{}"))
    return survey_of(graph, {module.path: module for module in copy.modules.values()}, copy.unread)


def import_roots(names: Mapping[str, object]) -> list[str]:
    """Return the folders that absolute imports start from: where the outermost packages and the scripts are."""
    found = {".", "src"}
    for name in names:
        folder = PurePosixPath(name).parent
        while (folder / "__init__.py").as_posix() in names and folder != folder.parent:
            folder = folder.parent
        found.add(folder.as_posix())
    return sorted(found, key=lambda root: (root.count("/"), root))[:_MAX_ROOTS]


def _graph(copy: CleanCopy, edges: dict[str, list[str]]) -> "nx.DiGraph[str]":
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(module.path for module in copy.modules.values())
    for name, imported in edges.items():
        importer = copy.module_of(name)
        known = [copy.module_of(other) for other in imported]
        graph.add_edges_from((importer, other) for other in known if importer and other and importer != other)
    return graph


def survey_of(graph: "nx.DiGraph[str]", modules: Mapping[str, Module], unread: dict[str, str]) -> ImportSurvey:
    """Measure an import graph whose edges lead from the importer to the imported."""
    circles = [sorted(found) for found in nx.strongly_connected_components(graph) if len(found) > 1]
    cycles = tuple(tuple(found) for found in sorted(circles, key=lambda found: (-len(found), found)))
    cycle_of = {path: index for index, members in enumerate(cycles) for path in members}
    reach = _reach(graph)
    links = {
        path: Links(
            imports=graph.out_degree(path),
            imported_by=graph.in_degree(path),
            reach=reach[path],
            cycle=cycle_of.get(path),
            uses=tuple(sorted(graph.successors(path))),
        )
        for path in graph
    }
    return ImportSurvey(modules=links, packages=_packages(graph, modules), cycles=cycles, unread=unread)


def _reach(graph: "nx.DiGraph[str]") -> dict[str, int]:
    """Count the modules that depend on each, in one pass: sets are bits of integers, cycles are one node."""
    condensed = nx.condensation(graph)
    own: dict[int, int] = {}
    dependents: dict[int, int] = {}
    index = {path: position for position, path in enumerate(graph)}
    for node in nx.topological_sort(condensed):
        own[node] = sum(1 << index[path] for path in condensed.nodes[node]["members"])
        dependents[node] = 0
        for above in condensed.predecessors(node):
            dependents[node] |= dependents[above] | own[above]
    node_of: dict[str, int] = condensed.graph["mapping"]
    return {path: (dependents[node] | own[node]).bit_count() - 1 for path, node in node_of.items()}


def _packages(graph: "nx.DiGraph[str]", modules: Mapping[str, Module]) -> dict[str, PackageLinks]:
    out: dict[str, set[str]] = defaultdict(set)
    into: dict[str, set[str]] = defaultdict(set)
    for importer, imported in graph.edges:
        above, below = modules[importer].package, modules[imported].package
        if above != below:
            out[above].add(below)
            into[below].add(above)
    packages = sorted({module.package for module in modules.values()})
    return {
        name: PackageLinks(imports=tuple(sorted(out[name])), imported_by=tuple(sorted(into[name]))) for name in packages
    }
