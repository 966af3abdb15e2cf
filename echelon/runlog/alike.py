"""One cause is said once: what is missing, and what was pushed, put together by why it is so (F6). Pure."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from echelon.model.exception_report import ExceptionReport
from echelon.model.handoff import ErrorReport, Missing
from echelon.model.incident import Incident
from echelon.model.phrasing import one_line
from echelon.model.run import MissingGroup, StepKind
from echelon.runlog.causes import cause_of
from echelon.runlog.gist import gist_of


@dataclass(frozen=True, kw_only=True)
class KnownLosses:
    """What is known about lost work beside the reason that is told of it."""

    errors: Mapping[str, ErrorReport]
    """The error that each task, or integration, was lost to."""
    incidents: tuple[Incident, ...] = ()
    """Incidents, whose words are used where they are the cause."""
    kinds: Mapping[str, StepKind] = field(default_factory=dict[str, StepKind])
    """What those are that are no tasks."""


def missing_by_cause(missing: Iterable[Missing], known: KnownLosses) -> tuple[MissingGroup, ...]:
    """Put together what is missing for one cause and replaced alike; the largest group first.

    One cause is what one error blames, a dependency for instance; where it blames nothing, the same kind of error with
    the same text but for names, ids and numbers.
    """
    groups: defaultdict[Hashable, list[Missing]] = defaultdict(list)
    for one in missing:
        error = known.errors.get(one.task_id)
        shared = cause_of(error) if error else ""
        kind = known.kinds.get(one.task_id, StepKind.TASK)
        names = (*_names(one.task_id), *_names(one.producer), *(error.causes if error else ()))
        cause = shared or (error.kind if error else "", gist_of(one.reason, names))
        groups[kind, cause, gist_of(one.instead)].append(one)
    found = [_group(members, known) for members in groups.values()]
    return tuple(sorted(found, key=lambda group: -len(group.tasks)))


def exceptions_by_cause(reports: Iterable[ExceptionReport]) -> tuple[tuple[ExceptionReport, ...], ...]:
    """Put together reports that say the same of different places; the first to be pushed first."""
    groups: defaultdict[Hashable, list[ExceptionReport]] = defaultdict(list)
    for report in reports:
        groups[said_by(report)].append(report)
    return tuple(map(tuple, groups.values()))


def said_by(report: ExceptionReport) -> Hashable:
    """Return what a report says, whatever it says it of: equal for those that say the same of different places."""
    names = [name for one in (*report.path, *report.tasks) for name in _names(one)]
    return report.trigger, report.level, gist_of(report.message, names)


def _group(members: list[Missing], known: KnownLosses) -> MissingGroup:
    first = members[0]
    instead = {one.instead for one in members}
    return MissingGroup(
        cause=_cause(members, known),
        varies=_varies(members, known),
        kind=known.kinds.get(first.task_id, StepKind.TASK),
        tasks=tuple(one.task_id for one in members),
        instead=first.instead if len(instead) == 1 else "",
    )


def _varies(members: list[Missing], known: KnownLosses) -> bool:
    """Say whether the first has a reason of its own: where they share no cause, only the gist is the same."""
    error = known.errors.get(members[0].task_id)
    return not (error and cause_of(error)) and len({one_line(one.reason) for one in members}) > 1


def _cause(members: list[Missing], known: KnownLosses) -> str:
    """Return what members of a group share, in words: those of the incident, where it has this cause and no other."""
    first = members[0]
    error = known.errors.get(first.task_id)
    shared = cause_of(error) if error else ""
    if not shared:
        return first.reason
    told = (one.cause for one in known.incidents if first.task_id in one.failed and one.cause.startswith(shared))
    return next(told, f"{shared} ({first.reason})" if len(members) > 1 else first.reason)


def _names(name: str) -> Iterator[str]:
    """Return what something is called, with its phase and without."""
    yield name
    yield name.partition("/")[2] or name
