"""Every fence of the README and of docs/ is used here as it stands there, so that no page can say what is not so.

A page is a story: its fences are used in their order, in a project and a home of its own, in this process.

- A fence below a line that names a file in code marks and ends with a colon is that file of the project.
- Any other `python` fence is a script; what it prints stands behind `# >`.
- An `sh` fence is a list of commands. `echelon` is called; of other programs that is checked which is cheap to check.
- A `console` fence has commands behind `$`, and below each what it prints: first what goes to stderr, then the rest.
- `json`, `yaml` and `toml` fences without a file are read; `text` fences are pictures for people.

In what is printed `…` stands for any text, alone on a line for any lines; numbers with a unit, times, and ids of runs
may be any. `# exit code 3` behind a command is what it ends with; without it that is 0. `RUN` in a command is the last
run of the page that is not inside another one, `CONCERN` its first open concern, or the first of all where none is,
`GATE` its first open gate, `TOKEN` that of the message that was kept in `told.json`; a command about a `TASK` is only
parsed.
"""

import contextlib
import importlib
import inspect
import json
import logging
import os
import re
import runpy
import shlex
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest
import yaml

from echelon.cli.commands import build_app
from echelon.cli.main import main
from echelon.model.adapter import JsonObject
from echelon.resilience.registry import BreakerRegistry
from echelon.testing.llm_server import Answer, LlmServer, calls, says
from tests.shapes.provider import Provider
from tests.unit.audit.building import git

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "AGENTS.md", *sorted((ROOT / "docs").rglob("*.md"))]


def _speaking(request: JsonObject) -> Answer:
    """Answer as a model does that raises a concern first."""
    has_said = any(one["role"] == "tool" for one in request["messages"])
    concern = {"message": "the tests are old", "confidence": "high", "impact": "low"}
    return says("the login is risky") if has_said else calls("raise_concern", concern)


#: What the model of a page answers.
ANSWERS: dict[str, Answer] = {
    "README.md": says({"ship": True, "reason": "it is small"}),
    "docs/how-to/agents.md": says({"ship": True, "reason": "small and clean"}),
    "docs/how-to/speak-up.md": Answer(body=lambda request: _speaking(request).body(request)),
    "docs/how-to/merge-phases.md": says({"risk": "nothing is left"}),
    "docs/how-to/integrate.md": says({"headline": "app.core is riskiest; lib.broken is not known"}),
}

#: Commands that are parsed, and not called.
NOT_CALLED = {
    "up": "starts a server that keeps running",
    "down": "ends that server",
    "serve": "runs until it is stopped",
}

#: Programs that are not ours: what they do is not checked here.
NOT_OURS = {"prefect", "source", "python3"}

#: Folders of a project with tests, and with files that jobs work on.
NOT_IMPORTED = ("tests", "code")

PROJECT = {
    "pyproject.toml": '[project]\nname = "docs"\nversion = "0"\n',
    "flows/__init__.py": "",
    "tasks/__init__.py": "",
    "contracts/__init__.py": "",
    "notes/a.md": "one two\n",
    "notes/b.md": "three four five\n",
}


@dataclass(frozen=True)
class Fence:
    """A fence of a page."""

    language: str
    text: str
    line: int
    """Where its first line stands in the page."""
    file: str | None
    """The file it is, if it is one."""


def fences(page: Path) -> Iterator[Fence]:
    text = page.read_text(encoding="utf-8")
    for found in re.finditer(r"^```(\w*)\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE):
        before = text[: found.start()].rstrip().rpartition("\n")[2]
        files = re.findall(r"`([\w./-]+\.\w+)`", before) if before.endswith(":") else []
        named = files[-1] if files and found[1] not in ("sh", "console") else None
        yield Fence(found[1], found[2], text.count("\n", 0, found.start()) + 2, named)


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


# What is printed ------------------------------------------------------------------------------------------------------

_ANY: dict[str, str] = {
    r"\b([a-z][a-z-]*)-\d{8}-\d{6}-[0-9a-f]{8}\b": r"\1-RUN",
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+Z?)?": "MOMENT",
    r"\b\d\d:\d\d:\d\d\.\d{3}\b": "TIME",
    r"\b(?:[\d,]+ h )?(?:[\d,]+ min )?[\d,.]+ s\b": "N s",
    r"\b[\d,.]+ (ms|min|h|%|MB)(?![a-z])": r"N \1",
}


def plain(text: str) -> str:
    """Return a text without what differs from run to run, and without what only makes columns."""
    for pattern, instead in _ANY.items():
        text = re.sub(pattern, instead, text)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return "\n".join(line for line in lines if line) + "\n"


def prints(expected: str, printed: str) -> bool:
    with contextlib.suppress(ValueError):
        return json.loads(expected) == json.loads(printed)
    pattern = "".join(
        r"(?:.*\n)*?" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + r"\n"
        for line in plain(expected).splitlines()
    )
    return re.fullmatch(pattern, plain(printed)) is not None


def on_time(printed: str) -> str:
    """Return what is printed without what says that something is late, as it is on a busy machine."""
    late = r"(?:alerts +| +)?(?:late|at risk): .*\n|exceptions +\d+ \(echelon exceptions \S+\) *\n"
    return re.sub(rf"^(?:{late})", "", printed, flags=re.MULTILINE)


def project_modules() -> list[str]:
    """Return the modules of a project that are imported, of this one or that of a page."""
    return [name for name in sys.modules if name.partition(".")[0] in ("flows", "tasks", "contracts")]


def is_elsewhere(arguments: list[str]) -> bool:
    """Say whether a command is about a job of this repository, not one of the page: that has tests of its own."""
    files = [Path(word.partition(":")[0]) for word in arguments[1:2]]
    return any((ROOT / file).is_file() and not file.exists() for file in files)


# A page ---------------------------------------------------------------------------------------------------------------


@dataclass
class Story:
    """A page, as it is being used."""

    page: Path
    project: Path
    capture: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch
    line: int = 0

    def use(self, fence: Fence) -> None:
        self.line = fence.line
        if fence.file is not None:
            self._write(fence.file, fence)
        elif fence.language == "python":
            self._script(fence)
        elif fence.language in ("sh", "console"):
            self._commands(fence)
        elif fence.language in _READERS:
            _READERS[fence.language](fence.text)
        elif fence.language != "text":
            self.fail(f"no fence may be called {fence.language!r}")

    def fail(self, why: str) -> NoReturn:
        pytest.fail(f"{named(self.page)}:{self.line}: {why}", pytrace=False)

    def _write(self, file: str, fence: Fence) -> None:
        path = Path(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(fence.text, encoding="utf-8")
        if fence.language in _READERS:
            _READERS[fence.language](fence.text)
        if path.suffix == ".py" and path.parts[0] not in NOT_IMPORTED:
            with self._process():
                importlib.import_module(".".join(path.with_suffix("").parts))

    def _script(self, fence: Fence) -> None:
        expected = [line.removeprefix("# >") for line in fence.text.splitlines() if line.startswith("# >")]
        code = compile("\n" * (fence.line - 1) + fence.text, named(self.page), "exec")
        with self._process():
            exec(code, {"__name__": "__main__"})  # the fence is ours
        self._compare("\n".join(expected), self.capture.readouterr().out)

    def _commands(self, fence: Fence) -> None:
        if fence.language == "sh":
            for line in fence.text.replace("\\\n", " ").splitlines():
                self._command(line)
            return
        for part in re.split(r"^\$ ", fence.text, flags=re.MULTILINE)[1:]:
            line, _, expected = part.replace("\\\n", " ").partition("\n")
            self._compare(expected, self._command(line))

    def _compare(self, expected: str, printed: str) -> None:
        if not (prints(expected, printed) or prints(expected, on_time(printed))):
            self.fail(f"this is not what is printed:\n{printed}\n--- which is compared as\n{plain(printed)}")

    def _command(self, line: str) -> str:
        """Carry out a command, and return what it prints."""
        given = re.search(r"# exit code (\d+)", line)
        code, words = int(given[1]) if given else 0, shlex.split(line, comments=True)
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            self.patch.setenv(*words.pop(0).split("=", 1))
        if not words:
            return ""
        program, *arguments = words
        if program == "echelon":
            return self._echelon([self._meant(word) for word in arguments], code)
        if program not in _PROGRAMS and program not in NOT_OURS:
            self.fail(f"{program!r} is not known here")
        return _PROGRAMS[program](self, arguments) if program in _PROGRAMS else ""

    def _echelon(self, arguments: list[str], code: int) -> str:
        if arguments[0] in NOT_CALLED or is_elsewhere(arguments) or any("TASK" in word for word in arguments):
            build_app().parse_args(arguments, exit_on_error=False, print_error=False)
            return ""
        with self._process():
            ended = main(arguments)
        printed = self.capture.readouterr()
        if ended != code:
            self.fail(f"`echelon {shlex.join(arguments)}` ended with {ended}:\n{printed.err}{printed.out}")
        return printed.err + printed.out

    def _meant(self, word: str) -> str:
        if word == "RUN":
            runs = self._asked("runs", "--json")["runs"]
            return str(next(run["run_id"] for run in runs if run["parent_run_id"] is None))
        if word == "TOKEN":
            return str(json.loads(Path("told.json").read_text())["tokens"][0]["token"])
        known = {"CONCERN": "concerns", "GATE": "gates"}.get(word)
        if known is None:
            return word
        found = self._asked(known, "--json")[known] or self._asked(known, "--all", "--json")[known]
        return str(found[0]["id"])

    def _asked(self, *arguments: str) -> dict[str, list[dict[str, object]]]:
        return json.loads(self._echelon(list(arguments), 0))

    @contextlib.contextmanager
    def _process(self) -> Iterator[None]:
        """Let the block find what a new process would: nothing imported from the project, no breakers."""
        self.patch.setattr(BreakerRegistry, "_shared", {})
        for name in project_modules():
            del sys.modules[name]
        importlib.invalidate_caches()
        here = str(Path.cwd())
        if here in sys.path:
            sys.path.remove(here)
        sys.path.insert(0, here)
        environment = dict(os.environ)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(environment)


_READERS: dict[str, Callable[[str], object]] = {"json": json.loads, "yaml": yaml.safe_load, "toml": tomllib.loads}


def _cd(story: Story, arguments: list[str]) -> str:
    story.patch.chdir(arguments[0])
    return ""


def _mkdir(_story: Story, arguments: list[str]) -> str:
    Path(arguments[-1]).mkdir(parents=True, exist_ok=True)
    return ""


def _git(_story: Story, arguments: list[str]) -> str:
    git(Path.cwd(), *arguments)
    return ""


def _export(story: Story, arguments: list[str]) -> str:
    for assignment in arguments:
        story.patch.setenv(*assignment.split("=", 1))
    return ""


def _make(story: Story, arguments: list[str]) -> str:
    targets = re.findall(r"^(\w+):.*##", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    if arguments[0] not in targets:
        story.fail(f"the Makefile has no target {arguments[0]!r}")
    return ""


def _pip(story: Story, arguments: list[str]) -> str:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    wanted = {extra for word in arguments for extra in re.findall(r"[\w-]+", "".join(re.findall(r"\[(.*)\]", word)))}
    if not wanted <= set(extras):
        story.fail(f"there is no extra {wanted - set(extras)}")
    return ""


def _python(story: Story, arguments: list[str]) -> str:
    with story._process():
        runpy.run_path(arguments[0], run_name="__main__")
    return story.capture.readouterr().out


def _pytest(story: Story, _arguments: list[str]) -> str:
    """Call the tests of a page as pytest would, without the second that a process takes to import everything."""
    with story._process():
        for file in sorted(Path("tests").glob("test_*.py")):
            for name, test in runpy.run_path(str(file)).items():
                if name.startswith("test_"):
                    folder = story.project / "tmp" / name
                    test(**({"tmp_path": folder} if "tmp_path" in inspect.signature(test).parameters else {}))
    return ""


_PROGRAMS: dict[str, Callable[[Story, list[str]], str]] = {
    "cd": _cd,
    "mkdir": _mkdir,
    "export": _export,
    "git": _git,
    "make": _make,
    "pip": _pip,
    "python": _python,
    "pytest": _pytest,
}


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    ours, root = logging.getLogger("echelon"), logging.getLogger()
    before = (ours.handlers, ours.propagate, root.level)
    yield
    ours.handlers, ours.propagate = before[0], before[1]
    root.setLevel(before[2])


@pytest.fixture
def story(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    logging_as_before: None,
) -> Iterator[Story]:
    """A page with a project, a home and a model of its own. Prefect's picture has its own tests."""
    page: Path = request.param
    for file, text in PROJECT.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)
    for name in [name for name in os.environ if name.startswith(("PREFECT_", "ECHELON_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PREFECT_PROFILES_PATH", str(tmp_path / "no-profiles.toml"))
    monkeypatch.setattr("echelon.engine.run.request_picture", lambda *_: None)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    imported = {name: sys.modules[name] for name in project_modules()}
    given = ANSWERS.get(named(page), says("done"))
    with Provider() if page.parent.name == "shapes" else LlmServer(given) as model:
        monkeypatch.setenv("OPENAI_BASE_URL", model.url)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        yield Story(page, tmp_path, capsys, monkeypatch)
    for name in project_modules():
        del sys.modules[name]
    sys.modules.update(imported)


@pytest.mark.parametrize("story", PAGES, ids=named, indirect=True)
def test_a_page_says_what_is_so(story: Story) -> None:
    for fence in fences(story.page):
        story.use(fence)
