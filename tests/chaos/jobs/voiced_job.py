"""A job whose agents speak while they work: a function in a thread, on the loop, in a process, a command, a model.

Each says one thing in its first attempt only: it is not said again after a kill, and must be on record all the same.
"""

import sys

from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from echelon import Brief, Handoffs, Job, Proposals, Resilience, agent, command, model_agent
from tests.chaos.jobs.shipping_job import Parcels, World

#: What the model says, a tool call each.
_TOOLS = (
    ("raise_concern", {"message": "it is odd", "confidence": 0.3, "impact": 0.9}),
    ("state_confidence", {"confidence": 0.7}),
    ("propose_task", {"goal": "after ask"}),
)


def _speak(brief: Brief, inputs: Parcels) -> str:
    name, world = brief.assignment.agent, World(inputs.world)
    if name not in world.asked():
        brief.raise_concern("it is the first time")
    world.ask(name)
    brief.raise_concern("it is odd", confidence=0.3, impact=0.9)
    brief.state_confidence(0.7)
    brief.propose_task(f"after {name}")
    return name


@agent
def think(brief: Brief, inputs: Parcels) -> str:
    """Speak in a thread."""
    return _speak(brief, inputs)


@agent
async def wait(brief: Brief, inputs: Parcels) -> str:
    """Speak on the loop."""
    return _speak(brief, inputs)


@agent(cpu_bound=True)
def crunch(brief: Brief, inputs: Parcels) -> str:
    """Speak in another process."""
    return _speak(brief, inputs)


_CALL = """
import json, os, pathlib, sys
world = pathlib.Path(sys.argv[1])
world.mkdir(parents=True, exist_ok=True)
asked = world / "asked"
said = [
    {"kind": "concern", "concern": {"about": "call", "message": "it is odd", "confidence": 0.3, "impact": 0.9}},
    {"kind": "confidence", "confidence": 0.7},
    {"kind": "task", "proposal": {"goal": "after call"}},
]
with open(os.environ["ECHELON_VOICE"], "a") as voice:
    if not asked.exists() or "call" not in asked.read_text().split("\\n"):
        print("it is the first time", file=voice, flush=True)
    with asked.open("a") as lines:
        print("call", file=lines)
    for one in said:
        print(json.dumps(one), file=voice, flush=True)
print("call", end="")
"""

call = command(
    [sys.executable, "-S", "-c", _CALL.replace("{", "{{").replace("}", "}}"), "{world}"],
    name="call",
    goal="Speak as a command",
)


def _answer(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
    said = sum(part.part_kind == "tool-return" for message in messages for part in message.parts)
    if said < len(_TOOLS):
        tool, arguments = _TOOLS[said]
        return ModelResponse(parts=[ToolCallPart(tool, arguments)])
    return ModelResponse(parts=[TextPart("ask")])


ask = model_agent(Agent(FunctionModel(_answer), name="ask"))


@agent
async def follow(goal: str, before: Handoffs[str], brief: Brief, inputs: Parcels) -> str:
    """Do what was proposed."""
    World(inputs.world).ask(brief.assignment.task_id)
    return f"{goal} of {len(before)}"


voiced_job = Job("voiced", goal="Speak", inputs=Parcels, defaults=Resilience(attempts=1))
voiced_job.phase("say", agents=[think, wait, crunch, call, ask])
voiced_job.phase("more", each=follow, over=Proposals(str, limit=3), needs="say")
