"""A job whose agents say what a file has for each of them, wherever an agent can say something."""

import json
import logging
from pathlib import Path

from pydantic import BaseModel

from echelon import Concern, Fallback, Handoffs, Job, Outcome, agent, integrator


class Inputs(BaseModel):
    file: str
    text: str = ""


def texts(inputs):
    return json.loads(Path(inputs.file).read_text())


def keys(inputs: Inputs) -> list[str]:
    """Find what to look at."""
    return texts(inputs)["items"]


def domain(item: str) -> str:
    """Say where an item belongs."""
    return "d" + item[:3]


@agent(attempts=1)
def says(item: str, inputs: Inputs) -> Outcome[dict[str, str]]:
    """Say everything."""
    told = texts(inputs)
    print(told["printed"])
    logging.getLogger("fuzz").warning("%s", told["logged"])
    evidence = (told["evidence"],)
    concern = Concern(about=told["about"], message=told["message"], confidence=0.4, impact=0.9, evidence=evidence)
    output, next_steps = {told["field"]: told["output"]}, (told["next"],)
    return Outcome(output=output, summary=told["summary"], concerns=(concern,), next_steps=next_steps)


@agent(attempts=1)
def fails(inputs: Inputs) -> str:
    """Fail."""
    raise ValueError(texts(inputs)["error"])


@agent(attempts=1, fallback=Fallback.default("instead"))
def stands_in(inputs: Inputs) -> str:
    """Fail, and have a fallback."""
    raise type(texts(inputs)["kind"], (Exception,), {})(texts(inputs)["error"])


@integrator
def merged(found: Handoffs[dict[str, str]]) -> list[dict[str, str]]:
    """Put together."""
    return [one.load() for one in found]


fuzz = Job("fuzz", goal="Say everything", inputs=Inputs)
fuzz.phase("say", each=says, over=keys, domain=domain, integrate=merged)
fuzz.phase("fail", agents=[fails, stands_in])
