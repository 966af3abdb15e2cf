"""That a model answered does not say that it did what it was asked: how its answers end (F3)."""

from collections.abc import Mapping

from echelon.model.edges import Foreign
from echelon.model.errors import AgentFailed
from echelon.model.phrasing import listed

#: How an answer may end before it is one: what that means and what to do, and whether another attempt can help.
_UNFINISHED: Mapping[str, tuple[str, bool]] = {
    "length": ("it reached its limit of tokens in the middle; raise max_tokens, or ask for less", False),
    "content_filter": ("the provider's filter cut it off; look at what it was asked, or ask another model", False),
    "error": ("the provider failed in the middle of it", True),
}

#: Tools that are named in an error at most.
_NAMED = 5


def check_end(result: Foreign, *, final_call: bool) -> None:
    """Raise `AgentFailed` for a result of pydantic-ai that is no answer: cut off, or waiting for somebody.

    In a final call an answer is bounded on purpose, and what there is of it is what was asked for.
    """
    reason = result.response.finish_reason
    why, passing = _UNFINISHED.get(reason, ("", False))
    if why and not (final_call and reason == "length"):
        raise AgentFailed(f"the model did not finish its answer ({reason}): {why}", passing=passing)
    waiting = [call.tool_name for call in (*_calls(result.output, "approvals"), *_calls(result.output, "calls"))]
    if waiting:
        raise AgentFailed(
            f"the model waits for tools that were not run: {listed(waiting, _NAMED)}; nobody is asked to approve tools "
            "here, so give it tools that need no approval"
        )


def _calls(output: Foreign, kind: str) -> tuple[Foreign, ...]:
    """Return the tool calls that pydantic-ai hands back instead of an output (`DeferredToolRequests`)."""
    return tuple(getattr(output, kind)) if type(output).__name__ == "DeferredToolRequests" else ()
