"""Who gives a command, to be kept with what is decided."""

import getpass

from echelon.model.errors import InvalidInput


def user_name() -> str:
    """Return the name of the user; `InvalidInput` when there is none, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise InvalidInput("this user has no name; say who decides with --by NAME") from error
