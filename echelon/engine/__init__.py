"""The rooms that know Prefect: the server, the flows and tasks that show a run, artifacts, deployments.

Its modules are imported when one of them is first asked for: they bring a database driver along, which commands that
only look must not wait for.
"""

import importlib
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from error
