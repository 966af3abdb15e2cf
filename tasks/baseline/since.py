"""Which modules have changed since a commit: files on the disk against the tree of the commit, without git's filters.

`git diff` would run what the repository names to look at its files. So the tree of the commit is listed, and the
files are compared here. What is not committed, and what git does not know at all, has changed, too.
"""

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from echelon import AgentFailed
from tasks.git_calls import run_git

#: A question to git, in seconds.
_TIMEOUT = 60.0
#: What git allows in a name of a commit, and what is more than a name, as `@{upstream}` and `HEAD~2`; no option.
_REF = re.compile(r"[^\W_@][\w./@{}^~+=,%#!-]*|@[\w./@{}^~-]*|_[\w./@{}^~-]*")
#: The hash of a repository by the number of its hex digits.
_HASHES = {40: "sha1", 64: "sha256"}


def check_ref(path: Path, ref: str) -> str:
    """Return a name of a commit that git knows in `path`; `ValueError` says in one line why there is none."""
    if not _REF.fullmatch(ref):
        raise ValueError("a branch, a tag or a commit is expected, as in origin/main")
    try:
        commit_of(path, ref)
    except AgentFailed as failure:
        said = str(failure)
        if "not installed" in said:
            raise ValueError("git is not installed, and changes are not known without it") from failure
        if "not a git repository" in said:
            raise ValueError(f"{path} is in no git repository, so that nothing is known of changes") from failure
        raise ValueError(f"git knows no such commit in {path}; fetch it, or give another") from failure
    return ref


def commit_of(path: Path, ref: str) -> str:
    """Return the full id of a commit; `AgentFailed` when there is none."""
    return run_git("rev-parse", "--verify", f"{ref}^{{commit}}", cwd=path, timeout=_TIMEOUT).stdout.strip()


def base_of(path: Path, ref: str) -> str:
    """Return the commit that changes are counted from: where this history left that of `ref`, as a merge sees it.

    Where they have none in common, as far as the clone goes back, it is `ref` itself.
    """
    commit = commit_of(path, ref)
    try:
        return run_git("merge-base", commit, "HEAD", cwd=path, timeout=_TIMEOUT).stdout.strip()
    except AgentFailed:
        return commit


def blobs_of(path: Path, commit: str) -> dict[str, str]:
    """Return the files of a commit below `path`, by their names below it, with the ids of their contents."""
    listed = run_git("ls-tree", "-r", "-z", commit, "--", ".", cwd=path, timeout=_TIMEOUT).stdout
    entries = (entry.partition("\t") for entry in listed.split("\0") if entry)
    return {name: about.split()[2] for about, _, name in entries}


def is_changed(content: bytes, blob: str | None) -> bool:
    """Say whether a file is another than it was in the commit; ends of lines that git converts do not count."""
    if blob is None:
        return True
    return blob not in set(_ids(content, _HASHES[len(blob)]))


def _ids(content: bytes, algorithm: str) -> Iterator[str]:
    for written in (content, content.replace(b"\r\n", b"\n")):
        yield hashlib.new(algorithm, b"blob %d\0" % len(written) + written, usedforsecurity=False).hexdigest()


def renamed_between(path: Path, before: str, now: str) -> dict[str, str]:
    """Return what was renamed from one commit to another: old name → new name; nothing where git cannot tell."""
    options = ("-r", "-z", "-M", "--diff-filter=R", "--name-status", "--relative")
    try:
        fields = run_git("diff-tree", *options, before, now, "--", ".", cwd=path, timeout=_TIMEOUT).stdout.split("\0")
    except AgentFailed:
        return {}
    return dict(zip(fields[1::3], fields[2::3], strict=False))


def moved_modules(
    gone: Collection[str], added: Collection[str], before: Mapping[str, str], now: Mapping[str, str]
) -> dict[str, str]:
    """Return the modules that have another name and the same content, where there is one such and no other.

    `before` and `now` are the digests of files by module. Pure.
    """
    by_content: dict[str, list[str]] = {}
    for path in added:
        by_content.setdefault(now[path], []).append(path)
    candidates = {old: by_content.get(before.get(old, ""), []) for old in gone}
    taken = [before[old] for old, found in candidates.items() if found]
    return {old: found[0] for old, found in candidates.items() if len(found) == 1 and taken.count(before[old]) == 1}
