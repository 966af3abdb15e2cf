"""The wheel carries the starter, and what is published today carries the wheel."""

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this repository."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=100)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """A folder in which the wheel is unpacked, as an installer would."""
    site = wheel.parent / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def test_a_project_made_by_an_installed_echelon_has_a_job_that_can_be_planned(installed: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(installed), "ECHELON_HOME": str(tmp_path / "home")}

    def echelon(*arguments: str, cwd: Path) -> str:
        command = [sys.executable, "-m", "echelon", *arguments]
        return subprocess.run(
            command, cwd=cwd, env=environment, check=True, capture_output=True, text=True, timeout=100
        ).stdout

    echelon("init", "thing", "--template", "audit", cwd=tmp_path)
    planned = echelon("plan", "flows/audit.py:audit", "--param", "path=.", "--json", cwd=tmp_path / "thing")

    assert '"structure"' in planned
    assert {path.name for path in (tmp_path / "thing").iterdir()} >= {"flows", "tasks", "contracts", "deployments"}


#: A project of somebody who has packages of these names, one of them without an `__init__.py`.
OWN = {
    "flows/count.py": "from echelon import Job, agent\nfrom tasks.counting import count\n\n"
    "job = Job('own', goal='Count')\njob.phase('count', agent=count)\n",
    "tasks/__init__.py": "",
    "tasks/counting.py": "from contracts.number import Number\nfrom echelon import agent\n\n\n"
    "@agent\ndef count() -> Number:\n    return Number(n=3)\n",
    "contracts/number.py": "from pydantic import BaseModel\n\n\nclass Number(BaseModel):\n    n: int\n",
}

#: Runs the command line with one installation of Echelon, and none that this interpreter has.
WITH_INSTALLATION = """
import site, sys
sys.path.append(sys.argv.pop(1))
site.addsitedir(sys.argv.pop(1))
from echelon.cli.main import main
sys.exit(main())
"""


@pytest.fixture(scope="module")
def installed_in_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is put into an environment when a checkout is installed in place (`pip install -e`)."""
    folder = tmp_path_factory.mktemp("editable")
    build = "import sys; from hatchling.build import build_editable; build_editable(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(folder)], cwd=ROOT, check=True, capture_output=True, timeout=100)
    site = folder / "site"
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        archive.extractall(site)
    return site


def test_nothing_but_echelon_is_offered_at_the_top(installed: Path, installed_in_place: Path) -> None:
    def offered(site: Path) -> set[str]:
        return {entry.name for entry in site.iterdir() if not entry.name.endswith((".dist-info", ".pth"))}

    assert offered(installed) == {"echelon"}
    assert offered(installed_in_place) == {"_editable_impl_echelon.py"}
    assert "map_module('echelon'" in (installed_in_place / "_editable_impl_echelon.py").read_text()


@pytest.mark.parametrize("how", ["installed", "installed_in_place"])
def test_packages_of_ones_own_are_not_shadowed_by_ours(how: str, request, tmp_path: Path) -> None:
    for name, text in OWN.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    environment = {**os.environ, "ECHELON_HOME": str(tmp_path / "home"), "ECHELON_PICTURE": "false"}
    environment.pop("PYTHONPATH", None)
    places = [sysconfig.get_path("purelib"), str(request.getfixturevalue(how))]
    done = subprocess.run(
        [sys.executable, "-S", "-c", WITH_INSTALLATION, *places, "run", "flows/count.py:job", "--json"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["output"] == {"n": 3}


@pytest.mark.registry
@pytest.mark.timeout(900)  # about 90 s; a registry may be slow
def test_the_newest_packages_that_the_wheel_allows_run_the_starter_to_its_end(wheel: Path, tmp_path: Path) -> None:
    """Whoever installs Echelon has no lock: they get what was published last, which nobody has tried together."""
    user = Newcomer(tmp_path)
    user.run(sys.executable, "-m", "venv", "venv")
    if not user.reaches_a_registry():
        assert not os.environ.get("CI"), "CI reaches no package registry, so nobody knows whether Echelon installs"
        pytest.skip("no package registry can be reached, so that nothing can be installed")
    user.run("pip", "install", "--quiet", "--no-compile", f"{wheel}[audit]")
    user.run("pip", "check")
    user.run("echelon", "init", "thing", "--template", "audit")
    printed = user.run(
        *("echelon", "run", "flows/audit.py:audit", "--param", "path=.", "--json"), folder=tmp_path / "thing"
    )

    assert json.loads(printed)["status"] == "completed", printed


class Newcomer:
    """Somebody with an empty virtual environment and nothing set."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._programs = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
        foreign = ("PYTHON", "PREFECT_", "ECHELON_", "VIRTUAL_ENV", "COVERAGE")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        path = os.pathsep.join([str(self._programs), os.environ.get("PATH", os.defpath)])
        own = {"PATH": path, "ECHELON_HOME": str(folder / "home"), "PREFECT_HOME": str(folder / "prefect")}
        self._environment = {**kept, **own, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}

    def reaches_a_registry(self) -> bool:
        """Say whether pip finds a package that is needed."""
        return self._do("pip", "--retries", "1", "--timeout", "10", "index", "versions", "prefect").returncode == 0

    def run(self, *command: str, folder: Path | None = None) -> str:
        """Run a command to its end; return what it printed."""
        done = self._do(*command, folder=folder)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def _do(self, program: str, *arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        own = self._programs / program
        return subprocess.run(
            [str(own) if own.exists() else program, *arguments],
            cwd=folder or self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )


def test_the_starter_in_the_wheel_is_the_one_in_the_repository(installed: Path) -> None:
    for folder in ("flows", "tasks", "contracts", "deployments"):
        ours = {path.relative_to(ROOT / folder) for path in (ROOT / folder).rglob("*") if _belongs(path)}
        theirs = {path.relative_to(installed / "echelon/starter" / folder) for path in _files(installed, folder)}

        assert theirs == ours


def _files(installed: Path, folder: str) -> list[Path]:
    return [path for path in (installed / "echelon/starter" / folder).rglob("*") if path.is_file()]


def _belongs(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts
