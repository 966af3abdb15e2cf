"""The settings of this process, with a misspelt or impossible one explained in one line."""

from pydantic import ValidationError
from pydantic_settings import SettingsError

from echelon.model.errors import InvalidInput
from echelon.settings import Settings


def read_settings() -> Settings:
    """Return the settings; `InvalidInput` names the environment variable that cannot be used."""
    try:
        return Settings()
    except SettingsError as error:
        why = error.__cause__ or error
        raise InvalidInput(f"ECHELON_NOTIFY cannot be used: it is a list in JSON, and this is none ({why})") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = f"ECHELON_{str(first['loc'][0]).upper()}"
        may_show_secrets = name.endswith(("_URL", "_NOTIFY"))
        got = "" if may_show_secrets else f" (got {first['input']!r})"
        raise InvalidInput(f"{name} cannot be used: {first['msg']}{got}; correct or unset it") from error
