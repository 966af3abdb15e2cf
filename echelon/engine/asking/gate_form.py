"""The form of a gate in Prefect: its fields, and what was filled in. Decides nothing, asks nobody.

Prefect is imported when a form is made, and not before: only flow runs make any.
"""

import json
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, create_model

from echelon.contract.typed import described
from echelon.model.base import Value
from echelon.model.oversight.gate import GateRecord, Verdict
from echelon.model.phrasing import listed
from echelon.oversight.gates.answers import AnswerWish

if TYPE_CHECKING:
    from prefect.input import RunInput

#: Begins the key of a suspension that a gate is the reason of.
KEY = "gate-"

#: Names in a description; the others are counted.
MOST_NAMED = 6

_VERDICTS = {
    "approve": "approve: it is done, once, exactly as shown",
    "done": "done: it was done already, and is not done again",
    "deny": "deny: it is not done",
}


class FormAnswer(Value):
    """What somebody filled in."""

    verdict: Verdict
    """What was decided."""
    author: str = Field(min_length=1, pattern=r"\S")
    """Who says that they answer: Prefect does not know who sits there."""
    reason: str = ""
    """Why."""
    partial: bool = False
    """May it begin without what is missing of its inputs?"""

    output: str = ""
    """What came out of it, where it was done already: JSON, or a text as it is."""

    @property
    def wish(self) -> AnswerWish:
        """The answer, as the journal takes it."""
        return AnswerWish(
            verdict=self.verdict,
            author=self.author.strip(),
            reason=self.reason.strip(),
            partial=self.partial,
            output=_output(self.output) if self.verdict == "done" else None,
            channel="prefect",
        )


def _output(text: str) -> Any:
    """Return what was typed as the output of something that was done already.

    >>> _output("[1, 2]"), _output("sent to Ada"), _output(" ")
    ([1, 2], 'sent to Ada', None)
    """
    try:
        return json.loads(text) if text.strip() else None
    except ValueError:
        return text.strip()


def key_of(gate_id: str, number: int) -> str:
    """Return the key of a suspension: a flow run is suspended by each key once only."""
    return f"{KEY}{gate_id}-{number}"


def gate_of_key(key: str | None) -> str | None:
    """Return the gate that a suspension asks; None for one that has another reason.

    >>> gate_of_key(key_of("g1f", 2)), gate_of_key("nightly-1"), gate_of_key(None)
    ('g1f', None, None)
    """
    return key.removeprefix(KEY).rpartition("-")[0] or None if key and key.startswith(KEY) else None


def form_of(gate: GateRecord, page: str) -> "type[RunInput]":
    """Return the form that asks a gate, with the page above its fields."""
    from prefect.input import RunInput

    approvers = gate.terms.approvers
    who = f"Who you are; {listed(approvers, MOST_NAMED)} may answer." if approvers else "Who you are."
    verdicts = "; ".join(_VERDICTS[one] for one in gate.question.verdicts)
    fields: dict[str, Any] = {
        "verdict": (Literal[gate.question.verdicts], Field(description=f"{verdicts}.")),
        "author": (str, Field(min_length=1, description=f"{who} It goes on record.")),
        "reason": (str, Field(default="", description="Why. It goes on record.")),
    }
    if gate.action.missing:
        said = "May it begin without what is missing of its inputs?"
        fields["partial"] = (bool, Field(default=False, description=said))
    if "done" in gate.question.verdicts:
        takes = f" ({described(gate.takes)})" if gate.takes else ""
        said = f"With done: what came out of it, in JSON{takes}; other text is taken as it is."
        fields["output"] = (str, Field(default="", description=said))
    form = create_model("GateForm", __base__=RunInput, **fields)
    return form.with_initial_data(description=page)
