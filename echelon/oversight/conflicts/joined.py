"""A conflict on record that others have joined since is the same one: found once, and decided once (X9). Pure."""

from collections.abc import Iterable, Mapping

from echelon.model.conflicts.conflict import Conflict, ConflictRecord, Side


def known_as(
    conflict: Conflict, versions: Mapping[str, str], records: Iterable[ConflictRecord]
) -> ConflictRecord | None:
    """Return the record of a conflict as one of its sides of today; None where it is another one than those on record.

    `versions` are those of the outputs at hand, by task. A side is the same where the output that stood for it then is
    on it now, in the same version: what was made anew since, as in another round, is another conflict.
    """
    alike = (one for one in records if (one.conflict.phase, one.conflict.subject) == (conflict.phase, conflict.subject))
    return next((found for one in alike if (found := _joined(one, conflict, versions)) is not None), None)


def _joined(record: ConflictRecord, conflict: Conflict, versions: Mapping[str, str]) -> ConflictRecord | None:
    names: dict[str, str] = {}
    for side in conflict.sides:
        then = next((one for one in record.conflict.sides if _is_same(one, side, versions)), None)
        if then is None:
            return None
        names[then.name] = side.name
    settled = record.settled
    if settled is not None and settled.is_decided:
        if settled.chosen not in names:
            return None
        settled = settled.model_copy(update={"chosen": names[settled.chosen]})
    return record.model_copy(update={"conflict": conflict, "settled": settled})


def _is_same(then: Side, now: Side, versions: Mapping[str, str]) -> bool:
    # Rounds of one piece of work are told apart by their numbers already (X5).
    is_output = then.round == now.round == 0
    return is_output and then.task_id in now.tasks and versions.get(then.task_id) == then.version
