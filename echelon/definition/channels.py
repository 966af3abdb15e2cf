"""Through which channels people are told of the gates and urgent concerns of a job (O8)."""

from collections.abc import Sequence

from echelon.model.edges import is_listing
from echelon.model.errors import InvalidJob
from echelon.model.oversight.channel import CHANNELS, NotifyChannel
from echelon.redaction import shows_secret


def channels_stated(name: str, notify: Sequence[NotifyChannel] | None) -> tuple[NotifyChannel, ...] | None:
    """Return what a job states about channels; None where it leaves that to the machine it runs on.

    `InvalidJob` names what is none, is there twice, or shows a secret, which would be on record.
    """
    if notify is None:
        return None
    stated: object = notify
    if not is_listing(stated):
        raise InvalidJob(f"job {name!r}: notify= takes a list, as in notify=[Notify.command([…])]")
    channels: list[NotifyChannel] = []
    for one in stated:
        if not isinstance(one, CHANNELS):
            kind = type(one).__name__
            raise InvalidJob(f"job {name!r}: notify= takes what Notify makes, as Notify.command([…]), not a {kind}")
        if one in channels:
            raise InvalidJob(f"job {name!r}: notify= has {one.label} twice; leave one out")
        if shows_secret(one.model_dump_json()):
            raise InvalidJob(
                f"job {name!r}: {one.label} in notify= shows a secret, and a channel is on record; name the variable "
                "of the environment that holds it: url_env=, headers_env=, password_env=, env="
            )
        channels.append(one)
    return tuple(channels)
