"""The layer nearest to the agent: what it leaves behind is seen, where a check asks for that (D11)."""

from collections.abc import Awaitable
from dataclasses import dataclass, replace

from echelon.agents.outcome import Outcome
from echelon.coordination.step.step import Perform, Step


@dataclass(frozen=True)
class Traced:
    """Lets the agent work, and its recorder see it."""

    inner: Perform[Outcome[object]]

    def __call__(self, step: Step) -> Awaitable[Outcome[object]]:
        """Do a step."""
        return self.inner(step) if step.recorder is None else self._record(step)

    async def _record(self, step: Step) -> Outcome[object]:
        recorder, call = step.recorder, step.call
        assert recorder is not None, "asked of steps only that have one"
        seen = replace(call, make_workspace=lambda: recorder.workspace_made(call.make_workspace()))
        with recorder.recording(call):
            return await self.inner(replace(step, call=seen))
