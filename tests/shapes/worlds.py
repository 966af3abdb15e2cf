"""What the shapes work on: a hundred files and more, sources or topics, one of which comes to nothing."""

from collections.abc import Callable
from pathlib import Path

from tests.shapes.provider import REFUSED
from tests.unit.audit.building import git, tree

PACKAGES = ("api", "core", "jobs", "store", "tools", "web")

#: Modules of a package.
MODULES = 17


def modules(text: Callable[[int], str]) -> dict[str, str | bytes]:
    """Make 102 files in six packages, from their number."""
    names = [f"{package}/m{number:02}.py" for package in PACKAGES for number in range(MODULES)]
    return {f"code/{name}": text(number) for number, name in enumerate(names)}


def code_to_audit(project: Path) -> None:
    """Every third file has an unused import, every fifth a bare except; one cannot be parsed."""
    flaws = ((3, "import os\n"), (5, "try:\n    f()\nexcept:\n    pass\n"))
    files = modules(lambda n: "def f():\n    return 1\n\n\n" + "".join(text for every, text in flaws if n % every == 0))
    tree(project, files | {"code/core/m07.py": "def f(:\n"})


def code_to_mend(project: Path) -> None:
    """No file passes at once: they need one round to three; one has what the fixer does not know."""
    files = modules(lambda n: "def f(x):\n" + "    if x == None:\n        return 1\n" * (1 + n % 3) + "    return x\n")
    tree(project, files | {"code/core/m07.py": "def f(x):\n    return None == x\n"})


def code_to_migrate(project: Path) -> None:
    """One file uses a type that no rewrite knows."""
    old = "from typing import Dict, List, Optional\n\n\ndef f(a: List[int], b: Optional[str]) -> Dict[str, int]:\n"
    tree(project, modules(lambda n: f"{old}    return {{str(b): {n}}}\n"))
    unknown = "from typing import Union\n\n\ndef f(a: Union[int, str]) -> None:\n    return None\n"
    tree(project, {"code/core/m07.py": unknown})


def branch_to_review(project: Path) -> None:
    """A branch that changes 102 of 112 files; every 30th change is risky, and one is not answered."""
    repository = project / "code"
    untouched = {f"code/docs/p{number}.py": "pass\n" for number in range(10)}
    tree(project, modules(lambda n: f"value = {n}\n") | untouched)
    git(repository, "init", "-q", "-b", "main")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "first")
    git(repository, "checkout", "-qb", "change")
    tree(project, modules(lambda n: f"value = {f'eval({n})' if n % 30 == 0 else n + 1}\n"))
    tree(project, {"code/core/m07.py": f"value = '{REFUSED}'\n"})
    git(repository, "commit", "-qam", "second")


def sources_to_read(project: Path) -> None:
    """104 sources on eight themes, two to each; one is not answered."""
    names = ("cost", "delay", "heat", "noise", "price", "scale", "trust", "wear")
    texts = {
        f"library/s{n:03}.md": f"{names[n % 8]}: claim {n}\n{names[n * 3 % 8]}: claim {n} as well\n" for n in range(104)
    }
    tree(project, {**texts, "library/s007.md": f"noise: {REFUSED}\n"})


def topics_to_search(project: Path) -> None:
    """100 topics; one of them never ends."""
    (project / "topics.txt").write_text("\n".join([*(f"topic-{number:02}" for number in range(99)), "endless"]))
