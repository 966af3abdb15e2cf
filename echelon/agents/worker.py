"""The child of `workers`: reads one JSON request a line, calls the function, answers with one JSON line."""

import importlib
import json
import os
import runpy
import sys
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, get_type_hints

from pydantic import JsonValue

from echelon.agents.function import FunctionAgent
from echelon.agents.wire import Reply, Request, pack_outcome, unpack
from echelon.model.edges import Foreign, Function
from echelon.model.errors import AgentFailed, EchelonError


def main() -> None:
    """Serve requests until the parent closes the pipe."""
    sys.path[:] = json.loads(sys.argv[1])
    requests, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    # What the function prints must not mix with the answers, and what it reads must not be a request.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    for line in requests:
        answers.write(json.dumps(_answer(json.loads(line))) + "\n")
        answers.flush()


def _answer(request: Request) -> Reply:
    try:
        agent = _agent(request["module"], request["name"])
        hints = get_type_hints(agent.function)
        arguments = {name: unpack(value, hints.get(name, Any)) for name, value in request["arguments"].items()}
        return {"outcome": pack_outcome(agent.function(**arguments), agent.output_type)}
    except AgentFailed as failure:
        return _failure(str(failure), [c.model_dump(mode="json") for c in failure.concerns], failure.passing)
    except EchelonError as error:
        return _failure(f"{type(error).__name__}: {error}", [], error.passing)
    except Exception as error:  # noqa: BLE001 - whatever the function raises is told to the parent
        return _failure(f"{type(error).__name__}: {error}", [], isinstance(error, OSError))


def _agent(module: str, name: str) -> FunctionAgent:
    found = _module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found if isinstance(found, FunctionAgent) else _plain(found)


@lru_cache
def _module(name: str) -> Foreign:
    """Return a module by its name, or the script that the parent runs by its path, under another name than its own."""
    if not name.endswith(".py"):
        return importlib.import_module(name)
    return SimpleNamespace(**runpy.run_path(name, run_name="__echelon_main__"))


def _plain(function: Function) -> FunctionAgent:
    return FunctionAgent(function=function, name=function.__name__, goal="", output_type=Any)


def _failure(message: str, concerns: list[dict[str, JsonValue]], passing: bool) -> Reply:
    return {"error": {"message": message, "concerns": concerns, "passing": passing}}


if __name__ == "__main__":
    main()
