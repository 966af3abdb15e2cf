"""A model provider on the loopback: how large the conversation about each item becomes, and how it ends, is stated."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from openai import AsyncOpenAI
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from echelon.agents.model import ModelAgent, model_agent
from echelon.model.adapter import JsonObject
from echelon.testing.llm_server import Answer, LlmServer, calls, refuses, says


@dataclass(frozen=True, kw_only=True)
class Talk:
    """How the conversation about one item goes."""

    looks: tuple[int, ...] = ()
    """Tokens of each request in which the model looks something up."""
    ends: int | None = None
    """Tokens of the request that it answers; None: the provider refuses it, since it is larger than the context."""
    written: int = 500
    """Tokens of that answer."""
    is_cut_off: bool = False
    """Does the answer end where the context does?"""


class Provider(LlmServer):
    """The provider: which answer a request gets is seen from what it asks for."""

    def __init__(self, talks: Mapping[str, Talk], window: int, text: str) -> None:
        self._talks = dict(talks)
        self._window = window
        self._text = text
        super().__init__()

    def answer_to(self, request: JsonObject) -> Answer | None:
        """Return the answer to a request, by the item in it and by how often the model has looked something up."""
        asked = json.dumps(request["messages"])
        talk = next(talk for item, talk in self._talks.items() if item in asked)
        looked = sum(message["role"] == "tool" for message in request["messages"])
        if looked < len(talk.looks):
            return _used(calls("look_up", {"what": self._text}), talk.looks[looked], 50)
        if talk.ends is None:
            most = f"This model's maximum context length is {self._window} tokens."
            return refuses(400, message=f"{most} Please reduce the length of the messages.")
        ended = "length" if talk.is_cut_off else "stop"
        return says(self._text, tokens_in=talk.ends, tokens_out=talk.written, finish_reason=ended)


def _used(answer: Answer, tokens_in: int, tokens_out: int) -> Answer:
    """Return an answer that says that it used so many tokens."""

    def body(request: JsonObject) -> bytes:
        content = json.loads(answer.body(request))
        content["usage"] = {
            "prompt_tokens": tokens_in,
            "completion_tokens": tokens_out,
            "total_tokens": tokens_in + tokens_out,
        }
        return json.dumps(content).encode()

    return Answer(body=body)


def model_worker(name: str, goal: str, openai: AsyncOpenAI) -> ModelAgent[str]:
    """Return a model that can look things up."""
    model = OpenAIChatModel("local", provider=OpenAIProvider(openai_client=openai))
    asked = Agent(model, name=name)

    @asked.tool_plain
    async def look_up(what: str) -> str:
        """Look something up."""
        return what

    return model_agent(asked, name=name, goal=goal, voice=False)
