"""What every journal promises, as tests: subclass it, and say how yours is opened.

    class TestMine(JournalContract):
        @pytest.fixture
        async def journal(self): ...            # an empty journal

        @pytest.fixture
        async def another(self, journal): ...   # the same one, as another process has it

        @pytest.fixture
        def expire(self, journal): ...          # async (run_id): end its leases, as if their processes were silent

`pytest.register_assert_rewrite("echelon.testing.journal_contract")` in a conftest makes failures readable.
"""

from echelon.testing.journal_contract.feeds import FeedContract
from echelon.testing.journal_contract.indexes import IndexContract
from echelon.testing.journal_contract.leases import LeaseContract
from echelon.testing.journal_contract.log import LogContract
from echelon.testing.journal_contract.parts import PartContract
from echelon.testing.journal_contract.units import UnitContract


class JournalContract(LogContract, UnitContract, IndexContract, LeaseContract, PartContract, FeedContract):
    """The tests; an adapter keeps all of them."""
