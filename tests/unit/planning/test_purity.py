import subprocess
import sys
from pathlib import Path

import pytest

ECHELON = Path(__file__).parents[3] / "echelon"

#: Rooms in which is only decided.
ROOMS = ("model", "planning", "scaling", "lint", "advice", "conventions")

#: Imports every module of a room without running the facade, whose business it is to load the engine.
IMPORT_ALL = """
import importlib, sys, types
facade = types.ModuleType("echelon")
facade.__path__ = [sys.argv[1]]
sys.modules["echelon"] = facade
for name in sys.argv[2:]:
    importlib.import_module(name)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.mark.parametrize("room", ROOMS)
def test_deciding_needs_neither_prefect_nor_a_database_nor_a_network(room: str):
    files = sorted((ECHELON / room).rglob("*.py"))
    names = [".".join(path.relative_to(ECHELON.parent).with_suffix("").parts) for path in files]
    command = [sys.executable, "-c", IMPORT_ALL, str(ECHELON), *names]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split()

    assert "pydantic" in loaded
    assert not {"prefect", "sqlalchemy", "httpx", "fsspec", "tenacity", "pybreaker", "asyncio"} & set(loaded)
