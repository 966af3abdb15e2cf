import subprocess
import sys
from pathlib import Path

import echelon.planning

ROOM = Path(echelon.planning.__file__).parent

#: Imports every module of the room without running the facade, whose business it is to load the engine.
IMPORT_ALL = """
import importlib, sys, types
facade = types.ModuleType("echelon")
facade.__path__ = [sys.argv[1]]
sys.modules["echelon"] = facade
for name in sys.argv[2:]:
    importlib.import_module("echelon.planning." + name)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_deciding_needs_neither_prefect_nor_a_database_nor_a_network():
    names = [path.stem for path in ROOM.glob("*.py") if path.stem != "__init__"]
    command = [sys.executable, "-c", IMPORT_ALL, str(ROOM.parent), *names]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split()

    assert "pydantic" in loaded
    assert not {"prefect", "sqlalchemy", "httpx", "fsspec", "tenacity", "pybreaker", "asyncio"} & set(loaded)
