"""What a command finds in its environment: what programs need to work, and what it is stated to get. No more.

What this process has in its environment beyond that, keys of providers above all, is nobody's business but theirs who
were given it.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeAlias

from pydantic import SecretStr

from echelon.agents.processes.owner import OWNER
from echelon.agents.voice.file import VOICE_FILE
from echelon.model.edges import is_listing, is_mapping
from echelon.model.errors import InvalidJob
from echelon.redaction import REDACTED, SHORTEST_SECRET, register_secrets_in

#: Passed to every command, where set: to find programs, to know user, language, time zone, terminal and folders, and
#: which certificates to trust. As patterns of `fnmatch`.
PASSED_TO_ALL = (
    *("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"),
    *("HOME", "USER", "LOGNAME", "SHELL"),
    *("LANG", "LANGUAGE", "LC_*", "TZ"),
    *("TERM", "COLORTERM", "NO_COLOR", "COLUMNS", "LINES"),
    *("TMPDIR", "TMP", "TEMP", "XDG_*"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR"),
)

#: Variable in which a command that changes the world finds its idempotency key.
IDEMPOTENCY_KEY = "ECHELON_IDEMPOTENCY_KEY"

#: Variable in which a command finds the file with its brief.
BRIEF_FILE = "ECHELON_BRIEF"

_OURS = (OWNER, IDEMPOTENCY_KEY, BRIEF_FILE, VOICE_FILE)

#: What may be stated: names to pass on; or values by name, None passing on what there is.
Env: TypeAlias = Sequence[str] | Mapping[str, str | SecretStr | None]


@dataclass(frozen=True)
class Environment:
    """What is stated for a command beyond what all of them get."""

    passed: tuple[str, ...] = ()
    """Names that are passed on, as patterns of `fnmatch`."""
    values: tuple[tuple[str, str | SecretStr], ...] = ()
    """What is set."""

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that is stated, by name, in order."""
        return tuple(sorted((*self.passed, *(name for name, _ in self.values))))

    @property
    def search_path(self) -> str | None:
        """Where programs are looked for; None: as usual."""
        return dict(self._plain()).get("PATH")

    def of(self, surroundings: Mapping[str, str] = os.environ) -> dict[str, str]:
        """Return the environment of a command that is started in these surroundings."""
        patterns = (*PASSED_TO_ALL, *self.passed)
        kept = {name: value for name, value in surroundings.items() if _fits(name, patterns)}
        return kept | dict(self._plain())

    def absent(self, surroundings: Mapping[str, str] = os.environ) -> tuple[str, ...]:
        """Return what should be passed on and is not there."""
        return tuple(one for one in self.passed if not any(fnmatchcase(name, one) for name in surroundings))

    def hide(self, written: bytes | None) -> bytes | None:
        """Take the secrets that the command was given out of what it wrote, as they are and as in JSON: it is kept."""
        for value in (value for _, value in self.values if isinstance(value, SecretStr)):
            secret = value.get_secret_value()
            if written is None or len(secret) < SHORTEST_SECRET:
                continue
            for form in {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}:
                written = written.replace(form.encode(errors="surrogateescape"), REDACTED.encode())
        return written

    def _plain(self) -> Iterator[tuple[str, str]]:
        for name, value in self.values:
            yield name, value.get_secret_value() if isinstance(value, SecretStr) else value


def environment_of(env: Env | None, command: str) -> Environment:
    """Return what is stated for a command; `InvalidJob` names what cannot be in an environment."""
    if env is not None and (isinstance(env, str) or not (is_mapping(env) or is_listing(env))):
        kind = type(env).__name__
        raise InvalidJob(f"command {command!r}: env takes a list of names, or values by name, and got a {kind}")
    values: Mapping[object, object] = env if is_mapping(env) else dict.fromkeys(env or (), None)
    for name, value in values.items():
        _check(command, name, value)
    register_secrets_in(tuple(values.values()))
    return Environment(
        passed=tuple(str(name) for name, value in values.items() if value is None),
        values=tuple((str(name), value) for name, value in values.items() if isinstance(value, str | SecretStr)),
    )


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(name == one or fnmatchcase(name, one) for one in patterns)


def _check(command: str, name: object, value: object) -> None:
    if not isinstance(name, str) or not name or "=" in name or "\0" in name:
        shown = str(name).partition("=")[0]  # behind it may stand a secret
        raise InvalidJob(
            f"command {command!r}: {shown!r} in env is no name of a variable; set values as {{name: value}}"
        )
    if name in _OURS:
        raise InvalidJob(f"command {command!r}: {name} in env is set by Echelon itself; use another name")
    if not isinstance(value, str | SecretStr | None):
        kind = type(value).__name__
        raise InvalidJob(f"command {command!r}: {name} in env is of type {kind}; a variable is text, or a SecretStr")
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if text is not None and "\0" in text:
        raise InvalidJob(f"command {command!r}: {name} in env contains a zero byte, which no variable can carry")
