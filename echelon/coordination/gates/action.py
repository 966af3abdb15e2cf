"""What a step would do, exactly, and the digest of that: an approval is for nothing else (O5)."""

import asyncio
import hashlib
import json
from typing import Any, NamedTuple

from pydantic_core import to_jsonable_python

from echelon.agents.asides.asides import asides_of_agent
from echelon.agents.fingerprint.agent import fingerprint_of
from echelon.coordination.context import RunContext
from echelon.coordination.step.contain import contained
from echelon.coordination.step.envelope import MAX_MESSAGE, shortened
from echelon.coordination.step.step import Step
from echelon.definition.inputs import written_inputs
from echelon.journal.digest import digest_of
from echelon.model.handoff import UsedDependency
from echelon.model.oversight.gate import Action
from echelon.redaction import redact

#: How long a preview may take where nothing bounds its agent, in seconds.
PREVIEW_SECONDS = 60.0


class Described(NamedTuple):
    """What a step would do."""

    action: Action
    """As it is put on record: without secrets."""
    digest: str
    """Of all of it, secrets included."""


async def describe(run: RunContext, step: Step) -> Described:
    """Return what a step would do; its agent is asked for a preview where it has one."""
    preview, trouble = await _preview(run, step)
    call, code = step.call, fingerprint_of(step.agent)
    arguments: dict[str, Any] = {"inputs": written_inputs(call.inputs)}
    if call.item is not None:
        arguments["item"] = to_jsonable_python(call.item, fallback=str)
    action = Action(
        agent=step.agent.name,
        task_id=step.task_id,
        phase=step.phase,
        effect=step.agent.effect,
        arguments=json.loads(redact(json.dumps(arguments))),
        inputs=_inputs(step),
        missing=call.brief.missing,
        preview=redact(preview),
        preview_characters=len(preview),
        preview_digest=hashlib.sha256(preview.encode(errors="backslashreplace")).hexdigest() if preview else "",
        preview_trouble=trouble,
        code=code,
    )
    # What the digest of the preview says, and where it would only make an approval of before another one's.
    beside = {"arguments", "preview", "preview_characters"}
    exact = (call.inputs, arguments, action.preview_digest, trouble)
    return Described(action, digest_of((action.model_dump(mode="json", exclude=beside), exact)))


def _inputs(step: Step) -> tuple[UsedDependency, ...]:
    """Return the outputs that a step may read, each with its version."""
    given = (one.handoff for handoffs in step.call.upstream.values() for one in handoffs)
    used = (UsedDependency(task_id=h.task_id, version=h.output_location.sha256) for h in given if h.output_location)
    return tuple(dict.fromkeys((*step.dependencies, *used)))


async def _preview(run: RunContext, step: Step) -> tuple[str, str]:
    """Return what an agent says that it would do, and why it cannot say so."""
    preview = asides_of_agent(step.agent).preview
    if preview is None:
        return "", ""
    seconds = step.guard.policy.timeout_seconds or PREVIEW_SECONDS
    try:
        with contained(preview.name), run.surround(step.task_id):
            async with asyncio.timeout(seconds):
                said = await preview.ask(step.call)
    except Exception as error:  # noqa: BLE001 - a function of anybody; who decides is shown that there is no preview
        return "", shortened(f"{preview.name} failed: {type(error).__name__}: {error}", MAX_MESSAGE)
    if not isinstance(said, str):
        return "", f"{preview.name} returned a {type(said).__name__}, and must return a text"
    return said, ""
