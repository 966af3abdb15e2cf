"""What a sample leaves to be done, in words: what is not begun, what the rest is expected to take, how sure that is."""

from echelon.model.phrasing import count, duration
from echelon.model.views.rest import Estimate, PhaseRest, Rest


def rest_lines(rest: Rest, currency: str | None = None) -> list[str]:
    """Return what is not begun and why, what each phase still takes, all of them together, and what to know of that."""
    left = [one.said for one in rest.left_out]
    notes = [f"note: {note}" for note in rest.notes]
    return [*left, *(_of_phase(phase, currency) for phase in rest.phases), whole(rest, currency), *notes]


def whole(rest: Rest, currency: str | None = None) -> str:
    """Return what the rest is expected to take, in one line."""
    tasks = count(rest.left + rest.again, "task")
    time = "time not known" if rest.seconds is None else f"about {duration(rest.seconds)}"
    work = f", {_in_seconds(rest.work_seconds)} of work" if rest.work_seconds else ""
    return f"the rest: {tasks}, {time}{work}, {_tokens(rest.tokens)}, {_cost(rest.cost, currency)}"


def _of_phase(phase: PhaseRest, currency: str | None) -> str:
    again = f", {phase.again:,} to be done again" if phase.again else ""
    each = [
        "" if phase.seconds_each is None else duration(phase.seconds_each),
        "" if phase.tokens_each is None else f"{phase.tokens_each:,.0f} tokens",
        "" if phase.cost_each is None else f"{phase.cost_each:,.4f} {currency or ''}".strip(),
    ]
    known = ", ".join(one for one in each if one)
    measured = f"; {known} each, by {phase.completed:,} that completed" if known else "; nothing of it was measured"
    failed = f", {phase.failed:,} failed" if phase.failed else ""
    return f"phase {phase.phase!r}: {phase.left:,} left{again}{measured}{failed}"


def _in_seconds(sum_: Estimate) -> str:
    between = "" if sum_.low is None else f" ({duration(sum_.low)} to {duration(sum_.high)})"
    return f"{duration(sum_.expected)}{between}"


def _tokens(tokens: Estimate | None) -> str:
    if tokens is None:
        return "tokens not known"
    between = "" if tokens.low is None or tokens.high is None else f" ({tokens.low:,.0f} to {tokens.high:,.0f})"
    return f"{tokens.expected:,.0f} tokens{between}"


def _cost(cost: Estimate | None, currency: str | None) -> str:
    if cost is None:
        return "cost not known"
    between = "" if cost.low is None or cost.high is None else f" ({cost.low:,.2f} to {cost.high:,.2f})"
    return f"cost {cost.expected:,.2f}{between} {currency or ''}".rstrip()
