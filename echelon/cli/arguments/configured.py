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
        raise InvalidInput(
            f"{name} cannot be used: {first['msg']} (got {first['input']!r}); correct or unset it"
        ) from error
