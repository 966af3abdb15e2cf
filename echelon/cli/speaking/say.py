"""`echelon say`: what a command, or what it started, says while it works for a run (X15)."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from pydantic import JsonValue, ValidationError

from echelon.agents.voice.file import VOICE_FILE, VoiceFile, read_speaker, read_voice
from echelon.cli.arguments.options import AsJson
from echelon.cli.views.output import out, print_json
from echelon.contract.complaint import misfits
from echelon.model.concern import Concern
from echelon.model.errors import InvalidInput
from echelon.model.voice.said import Proposal, Said, SaidBlocked, SaidConcern, SaidConfidence, SaidTask
from echelon.model.voice.speaking import UNWEIGHED_CONFIDENCE, UNWEIGHED_IMPACT

app = App(
    name="say",
    help_format="plaintext",
    help_epilogue="Example:  echelon say concern 'two files claim the same lock' --impact high --confidence 0.4",
)


@app.default
def list_said(*, as_json: AsJson = False) -> int:
    """List what has been said for this task so far."""
    file, task = _file()
    said = read_voice(file.path, task).said
    if as_json:
        print_json({"task": task, "said": [one.model_dump(mode="json") for one in said]})
    else:
        for one in said:
            out().print_json(one.model_dump_json(), indent=None)
    return 0


@app.command(name="concern")
def say_concern(
    message: Annotated[str, Parameter(help="What the matter is, in one sentence.")],
    /,
    *,
    about: Annotated[str, Parameter(help="A file, a task, a decision; without it the task.")] = "",
    confidence: Annotated[str, Parameter(help="How sure, 0 to 1, or low, medium, high.")] = str(UNWEIGHED_CONFIDENCE),
    impact: Annotated[str, Parameter(help="How bad if true, 0 to 1, or low, medium, high.")] = UNWEIGHED_IMPACT,
    evidence: Annotated[tuple[str, ...], Parameter(help="What it rests on; may be given several times.")] = (),
) -> int:
    """Raise a concern; only a person, with a reason, ends it."""
    file, subject = _file()
    values = {"about": about or subject, "message": message, "evidence": evidence}
    weights = {"confidence": _weight(confidence), "impact": _weight(impact)}
    return _say(file, lambda: SaidConcern(concern=Concern.model_validate(values | weights)))


@app.command(name="blocked")
def say_blocked(
    on: Annotated[str, Parameter(help="What the task waits for: another task, a person, a service.")],
    reason: Annotated[str, Parameter(help="Why it cannot do without.")] = "",
    /,
) -> int:
    """Say that the task cannot be done yet; it ends as blocked, whatever the command delivers."""
    return _say(_file()[0], lambda: SaidBlocked(on=on, reason=reason))


@app.command(name="confidence")
def say_confidence(
    confidence: Annotated[str, Parameter(help="0 to 1, or low, medium, high.")],
    /,
) -> int:
    """Say how sure the agent is of what it is about to deliver."""
    return _say(_file()[0], lambda: SaidConfidence.model_validate({"confidence": _weight(confidence)}))


@app.command(name="task")
def say_task(
    goal: Annotated[str, Parameter(help="What is to be achieved, in one sentence.")],
    /,
    *,
    reason: Annotated[str, Parameter(help="Why.")] = "",
    item: Annotated[str | None, Parameter(help="What it is to be done on, as JSON.")] = None,
) -> int:
    """Propose a further task; whether it is done is decided at the sync point."""
    return _say(_file()[0], lambda: SaidTask(proposal=Proposal(goal=goal, reason=reason, item=_item(item))))


def _file() -> tuple[VoiceFile, str]:
    """Return the file of the step that is done here, and its task; `InvalidInput` where none is."""
    named = os.environ.get(VOICE_FILE, "")
    if named and Path(named).is_file():
        speaker = read_speaker(Path(named))  # None: the command has written over its first line
        return VoiceFile(Path(named)), speaker.task_id if speaker else "the task"
    why = "names no file of one" if named else "is not set"
    raise InvalidInput(
        f"no task is at work here ({VOICE_FILE} {why}); `echelon say` is for a command that a run has started, and for "
        "what that starts"
    )


def _say(file: VoiceFile, make: Callable[[], Said]) -> int:
    try:
        said = make()
    except ValidationError as error:
        raise InvalidInput(misfits(error)) from error
    try:
        file.say(said)
    except OSError as error:
        raise InvalidInput(f"it cannot be written to {file.path}: {error}") from error
    return 0


def _weight(given: str) -> float | str:
    """Return a number, or the word as it is."""
    try:
        return float(given)
    except ValueError:
        return given


def _item(given: str | None) -> JsonValue:
    try:
        return None if given is None else json.loads(given)
    except ValueError as error:
        raise InvalidInput(f"--item is no JSON: {error}; text is written as '\"text\"'") from error
