import pytest

from echelon.journal.journal import Journal
from echelon.settings import Settings
from tests.unit.journal import records


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home")


@pytest.fixture
async def journal(settings):
    async with Journal.open(settings) as opened:
        await opened.start_run(records.run())
        yield opened
