"""How a session asks the standing budgets of its job: adopted first, where runs are not counted yet (F10)."""

from collections.abc import Awaitable, Callable, Sequence

from echelon.journal.failpoints import failpoint
from echelon.journal.standing.claims import Claim
from echelon.model.session import Session
from echelon.model.standing.claim import ClaimAsk, ClaimTold, StandingBudget
from echelon.model.standing.sums import Sums


class StandingSession:
    """What one session claims; an adapter of the port `StandingPort`."""

    def __init__(
        self,
        session: Session,
        job: str,
        claim: Callable[[Claim], Awaitable[ClaimTold]],
        adopt: Callable[[str], Awaitable[None]],
    ) -> None:
        self._session = session
        self._job = job
        self._claim = claim
        self._adopt = adopt

    async def claim(
        self, budgets: Sequence[StandingBudget], held: Sums, used: Sums, asks: Sequence[ClaimAsk]
    ) -> ClaimTold:
        """Put on record what the session holds and has used, and reserve what it asks for; durable on return.

        `LeaseLost` once another process has taken the run, `JournalError` when nothing can be written.
        """
        session = self._session
        wish = Claim(
            run_id=session.run_id,
            part=session.part,
            token=session.token,
            under=session.under if session.part else session.token,
            job=self._job,
            budgets=budgets,
            held=held,
            used=used,
            asks=asks,
        )
        while not (told := await self._claim(wish)).is_whole:
            await self._adopt(self._job)
        failpoint("standing.claimed")
        return told
