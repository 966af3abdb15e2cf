"""What a job is told in words and names: what is not known is refused before anything runs."""

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

from pydantic import BaseModel

from echelon.model.errors import InvalidJob

#: When one agent goes through several phases with its item, where that is possible (D1).
Merge: TypeAlias = Literal["never", "auto"]
#: What a run does when it measures that its structure is outgrown (R10).
Adapt = Literal["off", "propose", "apply"]

#: What happens when a run begins while an earlier one of the same work waits for a person (O8).
WhenWaiting = Literal["keep", "supersede", "skip"]


def check_stated(name: str, max_concurrency: int | None, merge: str, adapt: str, waiting: str) -> None:
    """Refuse what a job cannot be told; `InvalidJob` names it."""
    if not name.replace("-", "").replace("_", "").isalnum():
        raise InvalidJob(f"job name {name!r} may only have letters, digits, '-' and '_'")
    if max_concurrency is not None and max_concurrency < 1:
        raise InvalidJob(f"job {name!r}: max_concurrency={max_concurrency} lets no agent work; allow 1 or more")
    stated = (("merge", merge, Merge), ("adapt", adapt, Adapt), ("when_waiting", waiting, WhenWaiting))
    for what, given, known in ((what, given, get_args(kind)) for what, given, kind in stated):
        if given not in known:
            raise InvalidJob(f"job {name!r}: {what}={given!r} is not known; use one of {', '.join(known)}")


def check_series(name: str, series: Sequence[str] | None, inputs: type[BaseModel]) -> None:
    """Refuse inputs that the job does not have; `InvalidJob` names one."""
    unknown = [field for field in series or () if field not in inputs.model_fields]
    if unknown or isinstance(series, str):
        wrong = repr(series) if isinstance(series, str) else f"{unknown[0]!r}, which is no input"
        known = ", ".join(inputs.model_fields) or "none"
        raise InvalidJob(f"job {name!r}: series= takes the names of inputs ({known}), not {wrong}")
