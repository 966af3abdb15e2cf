"""What became of the items of a phase, against an earlier run of the same job. Values only."""

from echelon.model.base import Value


class ComparedItems(Value):
    """How the items of a phase differ from those of an earlier run; known when the phase begins."""

    since_run: str = ""
    """The run that they are compared with; empty when there is none."""
    new: tuple[str, ...] = ()
    """Tasks that it had not."""
    gone: tuple[str, ...] = ()
    """Tasks that it had and that are not there now: their items were deleted, or are out of scope this time."""


class Changes(ComparedItems):
    """What became of the items of a phase: each task that has ended well stands in one of `kept`, `done` and `new`.

    An agent or integrator that has a parameter of this type gets it: an integrator of its own phase, an agent of the
    phases that it receives handoffs from.
    """

    kept: tuple[str, ...] = ()
    """Tasks that were not done again, since nothing that they are made from has changed."""
    done: tuple[str, ...] = ()
    """Tasks that were done again."""

    @property
    def said(self) -> str:
        """Say in one line how many there are of each."""
        parts = [("kept", self.kept), ("done again", self.done), ("new", self.new), ("gone", self.gone)]
        counted = ", ".join(f"{len(tasks):,} {what}" for what, tasks in parts if tasks or what == "kept")
        return f"{counted} since {self.since_run}" if self.since_run else f"{counted}, no earlier run"

    def __add__(self, other: "Changes") -> "Changes":
        """Return what became of the items of two phases."""
        return Changes(
            since_run=self.since_run or other.since_run,
            new=self.new + other.new,
            gone=self.gone + other.gone,
            kept=self.kept + other.kept,
            done=self.done + other.done,
        )
