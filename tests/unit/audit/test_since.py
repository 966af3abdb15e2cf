"""What has changed since a commit, in real repositories."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.surveys import ImportSurvey, InventorySurvey, Links
from echelon.journal.outputs import OutputStore
from flows.audit import AuditInputs
from tasks.baseline.since import moved_modules, renamed_between
from tasks.discovery import DEFAULT_EXCLUDE
from tasks.inventory import inventory
from tasks.shares import inspections
from tests.unit.audit.building import LIMIT, git, handoffs, hostile, tree


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Give a repository with two modules in a folder of it, and a tag `then`."""
    root = tree(tmp_path / "repository", {"src/a.py": "A = 1\n", "src/b.py": "B = 1\n", "other.py": "C = 1\n"})
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    git(root, "tag", "then")
    return root


def listed(path: Path, changed_since: str | None) -> InventorySurvey:
    return inventory(path=path, exclude=DEFAULT_EXCLUDE, max_bytes=LIMIT, changed_since=changed_since).output


def changed(path: Path, since: str = "then") -> set[str]:
    return {name for name, file in listed(path, since).modules.items() if file.changed}


def told(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def test_without_a_commit_everything_is_to_be_inspected(repository: Path) -> None:
    found = listed(repository / "src", None)

    assert {name for name, file in found.modules.items() if file.changed} == {"a.py", "b.py"}
    assert (found.prefix, found.commit, found.since) == ("src/", told(repository, "rev-parse", "HEAD"), "")


def test_what_is_committed_edited_or_not_known_to_git_has_changed(repository: Path) -> None:
    nothing = changed(repository / "src")
    tree(repository, {"src/a.py": "A = 2\n", "other.py": "C = 2\n"})
    git(repository, "commit", "-qam", "second")
    committed = changed(repository / "src")
    tree(repository, {"src/b.py": "B = 2\n", "src/new.py": ""})

    assert (nothing, committed) == (set(), {"a.py"})
    assert changed(repository / "src") == {"a.py", "b.py", "new.py"}


def test_what_others_changed_since_the_branch_began_is_not_ours(repository: Path) -> None:
    git(repository, "checkout", "-qb", "ours")
    tree(repository, {"src/a.py": "A = 2\n"})
    git(repository, "commit", "-qam", "ours")
    git(repository, "checkout", "-q", "main")
    tree(repository, {"src/b.py": "B = 2\n"})
    git(repository, "commit", "-qam", "theirs")
    git(repository, "checkout", "-q", "ours")

    assert changed(repository / "src", "main") == {"a.py"}


def test_without_a_common_commit_the_one_that_is_named_counts(repository: Path) -> None:
    git(repository, "checkout", "-q", "--orphan", "apart")
    tree(repository, {"src/a.py": "A = 3\n"})
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "apart")

    assert changed(repository / "src", "main") == {"a.py"}


def test_ends_of_lines_that_git_converts_are_no_change(repository: Path) -> None:
    tree(repository, {"src/a.py": b"A = 1\r\n"})

    assert changed(repository / "src") == set()


def test_a_repository_may_count_in_sha256(tmp_path: Path) -> None:
    root = tree(tmp_path / "modern", {"a.py": "A = 1\n", "b.py": "B = 1\n"})
    git(root, "init", "-q", "--object-format=sha256")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    tree(root, {"b.py": "B = 2\n"})

    assert changed(root, "HEAD") == {"b.py"}


def test_a_hostile_tree_is_listed_as_far_as_it_can_be_read(tmp_path: Path) -> None:
    found = listed(hostile(tmp_path / "tree"), None)

    assert {"pipe.py", "self.py", "dangling.py", "too_large.py"} <= found.unread.keys() & found.modules.keys()
    assert (found.commit, found.prefix) == ("", "")


@pytest.mark.parametrize(
    ("ref", "why"),
    [
        ("nope", "git knows no such commit"),
        ("--help", "a branch, a tag or a commit is expected"),
        ("-rf", "a branch, a tag or a commit is expected"),
        ("", "a branch, a tag or a commit is expected"),
        ("main --output=x", "a branch, a tag or a commit is expected"),
        ("main\n", "a branch, a tag or a commit is expected"),
        (":other.py", "a branch, a tag or a commit is expected"),
    ],
)
def test_what_is_no_commit_is_refused_with_the_reason(repository: Path, ref: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        AuditInputs(path=repository, changed_since=ref)


def test_without_git_nothing_is_known_of_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    root = tree(tmp_path / "tree", {"a.py": ""})

    with pytest.raises(ValidationError, match="is in no git repository"):
        AuditInputs(path=root, changed_since="main")


@pytest.mark.parametrize("ref", ["then", "main", "HEAD", "HEAD~0", "@", "HEAD^{commit}"])
def test_what_git_calls_a_commit_is_taken(repository: Path, ref: str) -> None:
    assert AuditInputs(path=repository, changed_since=ref).changed_since == ref


def test_what_depends_on_a_changed_module_is_inspected_too(repository: Path, store: OutputStore) -> None:
    """What a changed module imports may be unused now; what shares a cycle with it is told of the whole cycle."""
    tree(repository, {f"src/{name}.py": "" for name in ("used", "circle", "alone")})
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "more")
    tree(repository, {"src/a.py": "A = 2\n"})
    cyclic = {"a.py": Links(cycle=0, uses=("circle.py", "used.py")), "circle.py": Links(cycle=0, uses=("a.py",))}
    surveys: dict[str, Any] = {
        "survey/inventory": listed(repository / "src", "HEAD"),
        "survey/imports": ImportSurvey(modules=cyclic, cycles=(("a.py", "circle.py"),)),
    }

    assert [one.module.path for one in inspections(handoffs(store, surveys))] == ["a.py", "circle.py", "used.py"]


def test_a_share_has_another_digest_when_something_that_it_says_changes(repository: Path, store: OutputStore) -> None:
    def digests(**links: Links) -> dict[str, str]:
        imports = ImportSurvey(modules={f"{name}.py": link for name, link in links.items()}, cycles=(("a.py", "x.py"),))
        given = {"survey/inventory": listed(repository / "src", None), "survey/imports": imports}
        return {one.module.path: one.digest for one in inspections(handoffs(store, given))}

    before, cyclic = digests(), digests(a=Links(cycle=0))
    tree(repository, {"src/b.py": "B = 3\n"})
    edited = digests()

    assert {path for path in before if before[path] != cyclic[path]} == {"a.py"}
    assert {path for path in before if before[path] != edited[path]} == {"b.py"}
    assert digests() == edited


def test_a_renamed_file_is_known_by_its_content_or_by_git(repository: Path) -> None:
    before = told(repository, "rev-parse", "HEAD")
    tree(repository, {"src/a.py": "".join(f"A{n} = {n}\n" for n in range(50))})
    git(repository, "commit", "-qam", "longer")
    longer = told(repository, "rev-parse", "HEAD")
    git(repository, "mv", "src/a.py", "src/renamed.py")
    with (repository / "src/renamed.py").open("a") as file:
        file.write("B = 1\n")
    git(repository, "commit", "-qam", "renamed")

    assert renamed_between(repository / "src", longer, told(repository, "rev-parse", "HEAD")) == {"a.py": "renamed.py"}
    assert renamed_between(repository / "src", before, "no such commit") == {}
    assert moved_modules({"a"}, {"b"}, {"a": "1"}, {"b": "1"}) == {"a": "b"}
    assert moved_modules({"a", "c"}, {"b"}, {"a": "1", "c": "1"}, {"b": "1"}) == {}, "nobody knows which of the two"
    assert moved_modules({"a"}, {"b", "c"}, {"a": "1"}, {"b": "1", "c": "1"}) == {}
