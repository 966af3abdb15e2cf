"""What agents are told in their briefs: only what the one who is told can act on (K, X2).

How to speak up is told in the words of each kind: a model has tools, a command a file, a function its brief (X15).
"""

from collections.abc import Callable, Iterator

from echelon.conventions.facts import AGENTS, Audience, Facts
from echelon.conventions.gates import HOLDING
from echelon.conventions.row import Aspect, Row, Text
from echelon.conventions.shared import shared_things
from echelon.model.markdown import names

NAMED = 3  # things, phases or verifiers in one sentence of a brief; the page names more

_TOOLS = "echelon.agents.voice.tools.VoiceTools"
_BRIEF = "echelon.model.voice.speaking.Speaks"
_FILE = "echelon.agents.voice.file.read_voice"
_TAKING = "echelon.coordination.rolling.proposing.take_proposals"


def _speaking(audience: Audience, name: str, text: str, mechanism: str) -> Row:
    """Return what those of a kind are told that have a voice."""
    return Row(
        id=f"{audience}.{name}",
        aspect=Aspect.BRIEF,
        audience=frozenset({audience}),
        text=text,
        mechanism=mechanism,
        when=lambda facts: audience in facts.job.speaking,
    )


def _proposing(audience: Audience, how: str) -> Row:
    """Return what those of a kind are told whose proposed tasks some phase takes (D10)."""

    def text(facts: Facts) -> Iterator[str]:
        takers = names([one.phase for one in facts.takers], NAMED)
        yield f"What should be done beyond your task is not yours to do: propose it with {how}. Taken by: {takers}."

    return Row(
        id=f"{audience}.proposal",
        aspect=Aspect.BRIEF,
        audience=frozenset({audience}),
        text=text,
        mechanism=_TAKING,
        when=lambda facts: audience in facts.job.speaking and bool(facts.takers),
    )


def _to_all(name: str, text: str | Text, mechanism: str, when: Callable[[Facts], bool]) -> Row:
    """Return what agents of every kind are told."""
    return Row(id=f"agent.{name}", aspect=Aspect.BRIEF, audience=AGENTS, text=text, mechanism=mechanism, when=when)


_TO_MODELS = (
    _speaking(
        Audience.MODEL,
        "concern",
        "Call `raise_concern` for what people should know: a risk, a contradiction, a doubt. You need not be sure. It "
        "is on record at once, and your task goes on.",
        f"{_TOOLS}.raise_concern",
    ),
    _speaking(
        Audience.MODEL,
        "blocked",
        "Call `report_blocked` when you need what is missing and cannot get it. It ends your task.",
        f"{_TOOLS}.report_blocked",
    ),
    _speaking(
        Audience.MODEL,
        "confidence",
        "Call `state_confidence` before you answer. It stands beside your answer.",
        f"{_TOOLS}.state_confidence",
    ),
    _proposing(Audience.MODEL, "`propose_task`"),
)

_TO_COMMANDS = (
    _speaking(
        Audience.COMMAND,
        "voice",
        "Speak up while you work: add a line of JSON to the file that the variable ECHELON_VOICE names, or let "
        "`echelon say` do so. It is kept even if you are killed.",
        _FILE,
    ),
    _speaking(
        Audience.COMMAND,
        "concern",
        'What people should know: `{"kind": "concern", "concern": {"about": "what", "message": "why", "confidence": '
        '0.4, "impact": 0.9}}`, or `echelon say concern "why" --about what --confidence 0.4 --impact 0.9`.',
        _FILE,
    ),
    _speaking(
        Audience.COMMAND,
        "blocked",
        'That you cannot go on: `{"kind": "blocked", "on": "what", "reason": "why"}`, or `echelon say blocked what '
        "why`.",
        _FILE,
    ),
    _speaking(
        Audience.COMMAND,
        "confidence",
        'How sure you are of your result: `{"kind": "confidence", "confidence": 0.7}`, or `echelon say confidence '
        "0.7`. It stands beside your result.",
        _FILE,
    ),
    _proposing(
        Audience.COMMAND,
        '`{"kind": "task", "proposal": {"goal": "what", "reason": "why"}}`, or `echelon say task what --reason why`',
    ),
)

_TO_FUNCTIONS = (
    _speaking(
        Audience.FUNCTION,
        "concern",
        "`brief.raise_concern(…)` says what people should know. It is on record at once.",
        f"{_BRIEF}.raise_concern",
    ),
    _speaking(
        Audience.FUNCTION,
        "blocked",
        "`brief.report_blocked(…)` ends the task as blocked.",
        f"{_BRIEF}.report_blocked",
    ),
    _speaking(
        Audience.FUNCTION,
        "confidence",
        "`brief.state_confidence(…)` says how sure you are. It stands beside the output.",
        f"{_BRIEF}.state_confidence",
    ),
    _proposing(Audience.FUNCTION, "`brief.propose_task(…)`"),
)


def _verifiers(facts: Facts) -> tuple[str, ...]:
    """Return who judges the results of the one who is told, or of anybody; nobody judges who does no task."""
    if facts.reader and not facts.reader.does_task:
        return ()
    return tuple(dict.fromkeys(name for phase in facts.phases for name in phase.verify))


def _judged(facts: Facts) -> Iterator[str]:
    again = any(phase.verify and phase.attempts > 1 for phase in facts.phases)
    then = "; what is rejected is done again, with what is missing" if again else ""
    yield f"What you make is judged by {names(_verifiers(facts), NAMED)}{then}."


def _turns(facts: Facts) -> Iterator[str]:
    shared = list(shared_things(facts.plan)) if facts.plan else []
    yield f"Several tasks change {names(shared, NAMED)}, in turns: touch these only if your task says so."


_TO_ALL = (
    _to_all(
        "missing",
        "What is missing from earlier work is named, with the reason. Do not make it up.",
        "echelon.coordination.briefs.missing_lines",
        lambda facts: facts.receives_work,
    ),
    _to_all(
        "judged", _judged, "echelon.coordination.success.verifying.verify_task", lambda facts: bool(_verifiers(facts))
    ),
    _to_all(
        "turns",
        _turns,
        "echelon.resilience.run_slots.RunSlots.turns",
        lambda facts: facts.plan is not None and bool(shared_things(facts.plan)),
    ),
)

#: In the order in which they are told.
TO_AGENTS: tuple[Row, ...] = (*_TO_MODELS, *_TO_COMMANDS, *_TO_FUNCTIONS, HOLDING, *_TO_ALL)
