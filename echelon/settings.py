"""Where Echelon keeps its things and how much it may do at a time. The environment is read here and nowhere else.

Every field can be set as `ECHELON_<FIELD>`; what is given to the constructor wins over the environment.
"""

from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import platformdirs
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from echelon.model.adapter import JsonObject
from echelon.model.oversight.channel import NotifyChannel
from echelon.model.policy import DEFAULT_BY_VALUE_TOKENS
from echelon.redaction import register_password, register_secrets_in, shows_secret

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
    history: bool = True
    """Do forecasts rest on what earlier runs of a job measured? Without, on what is stated and assumed alone (X10)."""
    quota_wait_seconds: float = Field(default=60.0, ge=0, allow_inf_nan=False)
    """The longest wait for a quota that resets, in seconds; a run ends waiting where it takes longer (F10)."""
    lease_seconds: float = Field(default=DEFAULT_LEASE_SECONDS, gt=0, allow_inf_nan=False)
    """How long a run stays held by a process that is not heard of any more; it says that it lives thrice as often."""

    notify: tuple[NotifyChannel, ...] = ()
    """How people are told of gates and urgent concerns, where a job says nothing: a list of channels in JSON (O8)."""

    timezone: str = "UTC"
    """Time zone of the days and months of standing budgets, by its IANA name (F10)."""

    def model_post_init(self, context: object, /) -> None:  # noqa: ARG002 - pydantic's signature
        """Keep the passwords that it holds out of everything that is recorded and shown."""
        for url in (self.journal_url, self.outputs_url):
            if "://" in url:
                register_password(url)
        register_secrets_in(self)

    @field_validator("timezone")
    @classmethod
    def _known(cls, timezone: str) -> str:
        try:
            ZoneInfo(timezone)
        except (ValueError, OSError, ZoneInfoNotFoundError) as error:
            raise ValueError("no time zone has this name; give one such as Europe/Berlin") from error
        return timezone

    @field_validator("notify")
    @classmethod
    def _without_secrets(cls, notify: tuple[NotifyChannel, ...]) -> tuple[NotifyChannel, ...]:
        for one in notify:
            if shows_secret(one.model_dump_json()):
                raise ValueError(f"{one.label} shows a secret, and a channel is on record; name the variable with it")
        return notify

    @property
    def journal_file(self) -> Path | None:
        """The file of the journal where it is SQLite; None for a server. All of the URL behind `:///` is its name."""
        scheme, is_path, path = self.journal_url.partition(":///")
        return Path(path) if is_path and scheme.startswith("sqlite") else None

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the days and months of standing budgets."""
        return ZoneInfo(self.timezone)

    @field_validator("home")
    @classmethod
    def _whole(cls, home: Path) -> Path:
        """Return one and the same folder wherever this process, or a child of it, is at work."""
        return home.expanduser().absolute()
