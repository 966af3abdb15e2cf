"""Where Echelon keeps its things and how much it may do at a time. The environment is read here and nowhere else.

Every field can be set as `ECHELON_<FIELD>`; what is given to the constructor wins over the environment.
"""

from pathlib import Path

import platformdirs
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from echelon.model.adapter import JsonObject
from echelon.model.policy import DEFAULT_BY_VALUE_TOKENS
from echelon.redaction import register_password, register_secrets_in

DEFAULT_LEASE_SECONDS = 12.0


def _default_journal_url(data: JsonObject) -> str:
    return f"sqlite+aiosqlite:///{(data['home'] / 'journal.db').as_posix()}"


def _default_outputs_url(data: JsonObject) -> str:
    return (data["home"] / "outputs").as_posix()


class Settings(BaseSettings):
    """What a process needs to know about its surroundings; immutable, and a misspelt field is an error."""

    model_config = SettingsConfigDict(env_prefix="ECHELON_", frozen=True, extra="forbid", validate_default=True)

    home: Path = Field(default_factory=lambda: platformdirs.user_data_path("echelon"))
    """Folder of what outlives a run: the user data folder, unless told otherwise; never the working folder."""

    journal_url: str = Field(default_factory=_default_journal_url, repr=False)
    """Database of the journal: SQLite (`sqlite:///…`) or PostgreSQL (`postgresql://…`). May hold a password."""
    outputs_url: str = Field(default_factory=_default_outputs_url, repr=False)
    """Folder of the outputs: a path, or any URL that fsspec understands. May hold a password."""
    redis_url: SecretStr | None = None
    """Redis that processes share their breakers through; None keeps them in the process."""
    picture: bool = True
    """Does Prefect show each run? A process of its own draws it; without it no server is needed or asked."""
    transcripts: bool = True
    """Is it kept what models are asked and answered? A job can switch it off for itself."""
    by_value_tokens: int = Field(default=DEFAULT_BY_VALUE_TOKENS, ge=0)
    """Tokens of earlier outputs that a model or command is given by value, where its job says nothing (C6)."""
    max_concurrency: int | None = Field(default=None, ge=1)
    """The most agents at work at one time in a run, whatever they are; None: what the job states, or by kind (F5)."""
    lease_seconds: float = Field(default=DEFAULT_LEASE_SECONDS, gt=0, allow_inf_nan=False)
    """How long a run stays held by a process that is not heard of any more; it says that it lives thrice as often."""

    def model_post_init(self, context: object, /) -> None:  # noqa: ARG002 - pydantic's signature
        """Keep the passwords that it holds out of everything that is recorded and shown."""
        for url in (self.journal_url, self.outputs_url):
            if "://" in url:
                register_password(url)
        register_secrets_in(self)

    @field_validator("home")
    @classmethod
    def _whole(cls, home: Path) -> Path:
        """Return one and the same folder wherever this process, or a child of it, is at work."""
        return home.expanduser().absolute()
