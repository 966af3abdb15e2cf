"""Every journal of ours keeps what the port promises."""

import pytest

from echelon.journal.journal import SqlJournal
from echelon.testing.journal import MemoryJournal
from echelon.testing.journal_contract import JournalContract


class TestSqlJournal(JournalContract):
    """SQLite and PostgreSQL."""

    @pytest.fixture
    def settings(self, on_both):
        return on_both

    @pytest.fixture
    async def journal(self, settings):
        async with SqlJournal.open(settings) as opened:
            yield opened


class TestMemoryJournal(JournalContract):
    """The double."""

    @pytest.fixture
    def journal(self):
        return MemoryJournal()

    @pytest.fixture
    def another(self, journal):
        return journal.beside()

    @pytest.fixture
    def expire(self, journal):
        async def end(run_id):
            journal.expire(run_id)

        return end
