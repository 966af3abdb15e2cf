"""The settings of this process, with a misspelt or impossible one explained in one line."""

from pydantic import ValidationError

from echelon.model.errors import InvalidInput
from echelon.settings import Settings


def read_settings() -> Settings:
    """Return the settings; `InvalidInput` names the environment variable that cannot be used."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = "_".join(["ECHELON", *[str(part).upper() for part in first["loc"]]])
        got = "" if name.endswith("_URL") else f" (got {first['input']!r})"  # it may hold a password
        raise InvalidInput(f"{name} cannot be used: {first['msg']}{got}; correct or unset it") from error
