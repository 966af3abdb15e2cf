"""Files are the same where they lie in copies of one tree, or tasks say that they touch them (X9)."""

import pytest

from echelon.model.verification.trace import ChangedFolder
from echelon.oversight.conflicts.touched import Touched, file_claims


def changed(
    task: str, digest: str, *, folder: str = "", tree: str = "t", path: str = "a.py", touches: str = ""
) -> Touched:
    where = ChangedFolder(folder=folder or f"/{task}", tree=tree, files={path: digest})
    return Touched(task, (where,), (touches,) if touches else ())


@pytest.mark.parametrize(
    ("touched", "claimed"),
    [
        ((changed("one", "x"), changed("other", "y")), {"one": "file:a.py", "other": "file:a.py"}),
        ((changed("one", "x"),), {}),
        ((changed("one", "x"), changed("other", "y", path="b.py")), {}),
        ((changed("one", "x"), changed("other", "y", tree="u")), {}),  # other trees have files of that name, too
        ((changed("one", "x", tree=""), changed("other", "y", tree="")), {}),  # in empty folders of their own
        ((changed("one", "x", folder="/f"), changed("other", "y", folder="/f")), {}),  # one file, and one content
        (
            (changed("one", "x", tree="", touches="a.py"), changed("other", "y", tree="", touches="a.py")),
            {"one": "file:a.py", "other": "file:a.py"},
        ),
        (
            (
                changed("one", "x", tree="", touches="a.py"),
                changed("other", "y", tree=""),
            ),  # one of them does not say so
            {},
        ),
        (
            (
                changed("one", "x", tree="", path="src/a.py", touches="src/"),
                changed("other", "y", tree="", path="src/a.py", touches="src"),
            ),
            {"one": "file:src/a.py", "other": "file:src/a.py"},
        ),
    ],
)
def test_what_is_claimed_of_a_file(touched: tuple[Touched, ...], claimed: dict[str, str]) -> None:
    assert {task: one.subject for task, (one,) in file_claims(touched).items()} == claimed


def test_files_of_one_name_in_two_trees_are_told_apart() -> None:
    found = file_claims([changed(f"{tree}{number}", f"{number}", tree=tree) for tree in "tu" for number in "12"])

    assert {task: one.subject for task, (one,) in found.items()} == {
        "t1": "file:a.py of t",
        "t2": "file:a.py of t",
        "u1": "file:a.py of u",
        "u2": "file:a.py of u",
    }


def test_a_claim_says_where_the_content_is_and_that_a_file_is_gone() -> None:
    found = file_claims([changed("one", "0123456789abcdef"), changed("other", "")])

    assert [one.said for (one,) in found.values()] == ["0123456789ab in /one", "taken away from /other"]
    assert len({one.digest for (one,) in found.values()}) == 2
