"""What proves that a process may still write to a run: the tokens it was given, which must be the newest (F8). Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from echelon.model.errors import InvalidInput
from echelon.model.session import Session


@dataclass
class Fence:
    """What one process holds of one run."""

    token: int
    """Of the run: its own, or the one it holds parts under."""
    parts: dict[str, int] = field(default_factory=dict[str, int])
    """By part that it holds: the token of that."""

    def stands(self, token: int | None, parts: Mapping[str, int]) -> bool:
        """Say whether all of it is still held, given the newest tokens of the run and of its parts."""
        return token == self.token and all(parts.get(part) == held for part, held in self.parts.items())


class Fences:
    """The fences of one process, by run. Who took a run is held to it for good: its late writes are refused too."""

    def __init__(self) -> None:
        self._fences: dict[str, Fence] = {}

    def add(self, session: Session) -> None:
        """Take note of what was taken."""
        token = session.under if session.part else session.token
        fence = self._fences.get(session.run_id)
        if fence is None or fence.token != token:  # parts end with the token they are held under
            fence = self._fences[session.run_id] = Fence(token)
        if session.part:
            fence.parts[session.part] = session.token

    def remove(self, session: Session) -> None:
        """Take note of a part that was given back: others may take it, and this process may hold another one."""
        fence = self._fences.get(session.run_id)
        if fence is not None and fence.parts.get(session.part) == session.token:
            del fence.parts[session.part]

    def among(self, run_ids: Iterable[str]) -> dict[str, Fence]:
        """Return what holds now of those runs of which this process took something."""
        found = {run_id: self._fences[run_id] for run_id in run_ids if run_id in self._fences}
        return {run_id: Fence(fence.token, dict(fence.parts)) for run_id, fence in found.items()}


def check_part(part: str, under: int | None) -> None:
    """Raise `InvalidInput` unless what is asked for is a run, or a part under the token of its run."""
    if bool(part) is not (under is not None):
        raise InvalidInput("a part is held under the token of its run, and a run under none: give both or neither")
