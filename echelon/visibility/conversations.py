"""What models were asked and answered in a run, of one agent; and why there may be nothing to read. Pure."""

from echelon.model.run import Conversation, RunView


def conversations_of(task: str, view: RunView) -> tuple[Conversation, ...]:
    """Return the conversations that were had for a task, in the order they ended."""
    return tuple(one for one in view.conversations if one.task_id == task)


def why_none(task: str, view: RunView) -> str:
    """Say in one line why no conversation is on record for a task."""
    planned = {one.id: one for one in view.record.plan.tasks} if view.record.plan else {}
    ended = [step.handoff for step in view.steps if step.handoff.task_id == task]
    if task not in planned or planned[task].model is None:
        return f"{task} is done without a model: a function or a command has a log (`--log`), and no messages"
    if task in view.at_work:
        return f"{task} is at work: a conversation is on record when it has ended"
    if not ended:
        return f"{task} has not begun"
    if ended[-1].attempts:  # each leaves a conversation, whatever comes of it
        return f"what the model of {task} was asked is not on record: it was done by an older version of Echelon"
    error = ended[-1].error
    return f"no model was asked for {task}{f': {error.message}' if error else ''}"
