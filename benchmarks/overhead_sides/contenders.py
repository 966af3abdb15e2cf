"""Who takes part in `benchmarks/overhead.py`: how each is started, and what it has made durable when.

Nothing of the libraries is imported here: the driver must run without them.
"""

import argparse
import importlib.metadata
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.metering import Family
from benchmarks.sides import Side, clean_environment

HERE = Path(__file__).parent

#: The extra of this project that the other sides come with.
EXTRA = "bench"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Where the sides work."""

    folder: Path
    client: Mapping[str, str]
    """What plain Prefect needs to use the server that `echelon up` keeps in `folder`, as its environment."""
    most_agents: int
    langgraph_durability: str


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One side of the comparison."""

    name: str
    title: str
    packages: tuple[str, ...]
    durable: str
    """What it has made durable, and when; `{durability}` is LangGraph's mode."""
    arguments: Callable[[Stage], tuple[str, ...]] = lambda _: ()
    environment: Callable[[Stage], dict[str, str]] = lambda _: {}
    uses_server: bool = False
    most_agents: int | None = None
    """Sizes above are left out unless they are asked for: they take minutes a round."""

    def missing(self) -> list[str]:
        """Return the packages that are not installed."""
        return [package for package in self.packages if not _version(package)]

    def versions(self) -> str:
        """Say which versions are compared."""
        return ", ".join(f"{package} {_version(package)}" for package in self.packages)

    def start(self, stage: Stage) -> tuple[Side, Family]:
        """Start its process; every process that comes of it is of its family."""
        family = Family(self.name)
        script = str(HERE / f"with_{self.name}.py")
        environment = clean_environment(
            PREFECT_HOME=str(stage.folder / f"{self.name}-prefect"), **self.environment(stage), **family.environment
        )
        return Side((script, *self.arguments(stage)), environment), family


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


LANGGRAPH_DURABLE = {
    "async": "each node's writes (a commit a node) and a checkpoint a super-step, in the background: the next "
    "super-step may begin before they are on disk; all of it is there when the run returns",
    "sync": "a checkpoint a super-step, before the next one begins; each node's writes (a commit a node) in the "
    "background meanwhile",
    "exit": "one checkpoint when the run ends, nothing of a run that is killed",
}

CONTENDERS = (
    Contender(
        name="prefect",
        title="plain Prefect",
        packages=("prefect",),
        durable="nothing that a killed run could go on from (results are not persisted); the states of tasks go to the "
        "server as events, later, in its SQLite database",
        environment=lambda stage: {**stage.client, "PREFECT_LOGGING_LEVEL": "WARNING"},
        uses_server=True,
        most_agents=1000,
    ),
    Contender(
        name="echelon",
        title="Echelon",
        packages=("echelon",),
        durable="each handoff before anyone sees it: a commit in the journal (SQLite, WAL, synchronous=FULL, shared by "
        "all that wait at that moment) with its output in it (above 16 kB in a file, which is flushed before that)",
        environment=lambda stage: {
            "ECHELON_HOME": str(stage.folder),
            "ECHELON_MAX_CONCURRENCY": str(stage.most_agents),
        },
        uses_server=True,
    ),
    Contender(
        name="langgraph",
        title="LangGraph + SQLite",
        packages=("langgraph", "langgraph-checkpoint-sqlite"),
        durable="{durability} (SQLite, WAL, synchronous=FULL)",
        arguments=lambda stage: (str(stage.folder / "langgraph.db"), stage.langgraph_durability),
        environment=lambda _: {"LANGSMITH_TRACING": "false", "LANGCHAIN_TRACING_V2": "false"},
    ),
    Contender(
        name="dbos",
        title="DBOS on SQLite",
        packages=("dbos",),
        durable="each step's output before the workflow sees it (SQLite as DBOS opens it: rollback journal, "
        "synchronous=FULL, a commit a step)",
        arguments=lambda stage: (str(stage.folder / "dbos.db"),),
        most_agents=1000,
    ),
)

BY_NAME = {contender.name: contender for contender in CONTENDERS}


def durable(contender: Contender, langgraph_durability: str) -> str:
    """Say what a contender has made durable, and when."""
    return contender.durable.format(durability=LANGGRAPH_DURABLE[langgraph_durability])


def chosen(parser: argparse.ArgumentParser, names: list[str] | None) -> list[Contender]:
    """Return who is named, or who is installed; say who is left out for want of a package, and refuse who is named."""
    contenders = CONTENDERS if names is None else [BY_NAME[name] for name in dict.fromkeys(names)]
    for contender in contenders:
        if not (missing := contender.missing()):
            continue
        reason = f"{contender.title} needs {', '.join(missing)}: pip install -e '.[{EXTRA}]'"
        if names is not None:
            parser.exit(2, f"{parser.prog}: {reason}\n")
        print(f"{parser.prog}: left out: {reason}", file=sys.stderr)
    return [contender for contender in contenders if not contender.missing()]
