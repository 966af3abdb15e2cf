"""Which fixes may stand: those with which no finding of any rule gets more in any file."""

from collections import Counter
from collections.abc import Sequence

import pytest

from contracts.fixes import FileFix
from contracts.modules import Severity
from contracts.surveys import Clone, DeadCodeSurvey, DeadItem, DuplicationSurvey, ImportSurvey, LintHit, LintSurvey
from tasks.fixes.comparing import FindingCounts, TreeSurveys, counts_of, fewer, sift, worse
from tests.unit.fixes.building import fix_of

F401, DEAD, CYCLE = ("a.py", "F401"), ("b.py", "dead-code"), ("d.py", "import-cycle")

#: Three fixes: of each, what is found more or less with it.
FIXES = tuple(fix_of(f"{name}.py", "x\n", f"{name}\n") for name in ("a", "b", "c"))
BEFORE: FindingCounts = Counter({("a.py", "F401"): 2, ("b.py", "F541"): 1, ("c.py", "F401"): 1})
FIXED = {"a.py": ("a.py", "F401"), "b.py": ("b.py", "F541"), "c.py": ("c.py", "F401")}


def counting(*worse_with: tuple[set[str], tuple[str, str]]):
    """Return what counts: each fix mends what it is for; with all of some files, something else is found once."""

    def count(fixes: Sequence[FileFix]) -> FindingCounts:
        paths = {one.path for one in fixes}
        found = Counter({key: number for key, number in BEFORE.items() if key not in {FIXED[path] for path in paths}})
        found.update(what for files, what in worse_with if files <= paths)
        return found

    return count


@pytest.mark.parametrize(
    ("before", "after", "said", "gone"),
    [
        ({}, {}, [], {}),
        ({F401: 2}, {}, [], {"a.py": 2}),
        ({F401: 2}, {F401: 1}, [], {"a.py": 1}),
        ({F401: 1}, {F401: 1}, [], {}),
        ({F401: 1}, {F401: 2}, ["a.py: F401 1 → 2"], {}),
        (
            {F401: 3},
            {DEAD: 1},
            ["b.py: dead-code 0 → 1"],
            {"a.py": 3},
        ),  # fewer in one file is no price for more in another
        ({F401: 1}, {("a.py", "E999"): 1}, ["a.py: E999 0 → 1"], {"a.py": 1}),  # nor of one rule for another
    ],
)
def test_findings_are_compared_by_file_and_rule(before, after, said, gone) -> None:
    assert worse(Counter(before), Counter(after)) == said
    assert fewer(Counter(before), Counter(after)) == gone


@pytest.mark.parametrize(
    ("worse_with", "kept", "refused"),
    [
        ([], ["a.py", "b.py", "c.py"], {}),
        ([({"b.py"}, DEAD)], ["a.py", "c.py"], {"b.py": "more is found: b.py: dead-code 0 → 1"}),
        (
            [({"a.py"}, DEAD), ({"c.py"}, DEAD)],
            ["b.py"],
            {"a.py": "more is found: b.py: dead-code 0 → 1", "c.py": "more is found: b.py: dead-code 0 → 1"},
        ),
        (  # each alone is harmless: nobody knows which it was
            [({"a.py", "c.py"}, DEAD)],
            [],
            {f"{one}.py": "together with other fixes, more is found: b.py: dead-code 0 → 1" for one in "abc"},
        ),
        (  # one is to blame by itself, and the others together are
            [({"b.py"}, DEAD), ({"a.py", "c.py"}, CYCLE)],
            [],
            {
                "a.py": "together with other fixes, more is found: d.py: import-cycle 0 → 1",
                "b.py": "more is found: b.py: dead-code 0 → 1",
                "c.py": "together with other fixes, more is found: d.py: import-cycle 0 → 1",
            },
        ),
    ],
)
def test_fixes_that_make_something_worse_are_refused_and_the_others_kept(worse_with, kept, refused) -> None:
    sifted = sift(FIXES, BEFORE, counting(*worse_with))

    assert [one.path for one in sifted.kept] == kept
    assert sifted.refused == refused
    assert sifted.gone == {path: BEFORE[FIXED[path]] for path in kept}


def test_every_kind_of_finding_counts() -> None:
    hit = LintHit(rule="F401", name="unused-import", line=1, message="unused", severity=Severity.LOW)
    dead = DeadItem(name="f", what="function", line=1, lines=2, confidence=0.9)
    clone = Clone(line=1, end_line=9, others=("b.py:1",))
    said = TreeSurveys(
        lint=LintSurvey(modules={"a.py": (hit, hit)}),
        dead_code=DeadCodeSurvey(modules={"a.py": (dead,)}),
        duplication=DuplicationSurvey(modules={"b.py": (clone,)}),
        imports=ImportSurvey(cycles=(("a.py", "b.py"),)),
    )
    deep = "def f(a):\n" + "".join(f"    if a == {n}:\n        return {n}\n" for n in range(12))

    assert counts_of(said, {"a.py": deep}) == {
        ("a.py", "F401"): 2,
        ("a.py", "dead-code"): 1,
        ("b.py", "duplication"): 1,
        ("a.py", "import-cycle"): 1,
        ("b.py", "import-cycle"): 1,
        ("a.py", "complexity"): 1,
    }
