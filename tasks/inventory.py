"""The inventory survey: which modules there are, what is in them, and which have changed since a commit."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from contracts.modules import Module
from contracts.surveys import File, InventorySurvey
from echelon import AgentFailed, Outcome, agent
from echelon.model.phrasing import count
from tasks.baseline.since import base_of, blobs_of, is_changed
from tasks.discovery import discover
from tasks.git_calls import run_git
from tasks.sources import listed
from tasks.tools import TOOL_TIMEOUT_SECONDS


@agent(timeout=TOOL_TIMEOUT_SECONDS)
def inventory(
    path: Path, exclude: Sequence[str], max_bytes: int, changed_since: str | None
) -> Outcome[InventorySurvey]:
    """List the modules of the tree, and those of them that have changed."""
    since = "" if changed_since is None else base_of(path, changed_since)
    blobs = blobs_of(path, since) if since else None
    unread: dict[str, str] = {}
    files = {one.path: _file(path, one, max_bytes, blobs, unread) for one in discover(path, exclude)}
    commit, prefix = _checked_out(path)
    survey = InventorySurvey(modules=files, since=since, commit=commit, prefix=prefix, unread=unread)
    changed = sum(file.changed for file in files.values())
    counted = f", {changed:,} of them changed since {changed_since}" if since else ""
    return Outcome(output=survey, summary=f"{count(len(files), 'module')}{counted}")


def _file(root: Path, module: Module, max_bytes: int, blobs: Mapping[str, str] | None, unread: dict[str, str]) -> File:
    found = listed(root, module, max_bytes)
    if found.reason:
        unread[module.path] = found.reason
        known = blobs is not None and module.path in blobs
        return File(package=module.package, sha256=found.sha256, changed=not known)
    changed = blobs is None or is_changed(found.raw, blobs.get(module.path))
    return File(package=module.package, sha256=found.sha256, changed=changed)


def _checked_out(path: Path) -> tuple[str, str]:
    """Return the commit that is checked out, and where in its repository the folder is; empty where git knows none."""
    return _told(path, "--verify", "HEAD^{commit}").strip(), _told(path, "--show-prefix").rstrip("\n")


def _told(path: Path, *arguments: str) -> str:
    try:
        return run_git("rev-parse", *arguments, cwd=path, timeout=60).stdout
    except AgentFailed:
        return ""
