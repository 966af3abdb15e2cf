"""What says that a limit is used up and when it resets, of an error or of what it wraps (F10). Pure.

Headers count, and texts of what refused a call: an HTTP error that says so, or what a command printed that failed. What
an agent answers never does, however it reads: neither an output, nor what is quoted of one that broke its contract.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from typing import cast

from echelon.model.edges import Foreign
from echelon.model.errors import AgentFailed, DependencyFailed, EchelonError, QuotaExhausted
from echelon.model.quota.window import QuotaWindow
from echelon.resilience.errors import refused_for_good, status_of
from echelon.resilience.pushback import LONGEST_RETRY_AFTER_SECONDS, headers_of, links, retry_after_seconds
from echelon.resilience.quota.moments import ResetTime, reset_in_text, reset_in_value, within_bounds

TOO_MANY_REQUESTS = 429

#: With these a provider says that it takes no more for now: then its text is read, too.
_STATUSES = frozenset({402, 403, TOO_MANY_REQUESTS, 503, 529})

#: Errors of client libraries that say it by their name.
_NAMES = re.compile(r"RateLimit|ResourceExhausted|TooManyRequests|QuotaExceeded|UsageLimitReached")

#: Where errors keep what was said by a provider, or printed by a command.
_SAID_IN = ("body", "printed", "stderr", "stdout", "output")


def window_of(error: BaseException, dependency: str, now: datetime, here: tzinfo | None = None) -> QuotaWindow | None:
    """Return the window that an error says is closed; None when it says nothing of the kind.

    Times of day without a zone are those of `here`; None: the zone of this machine.
    """
    if isinstance(error, BaseExceptionGroup):
        return _of_all(cast("BaseExceptionGroup[BaseException]", error), dependency, now, here)
    for link in links(error):
        if isinstance(link, QuotaExhausted):
            until = within_bounds(link.resets, now)
            return until and QuotaWindow(dependency=link.dependency or dependency, until=until, said=link.said)
        if isinstance(link, EchelonError) and not isinstance(link, AgentFailed | DependencyFailed):
            return None  # it has judged what is behind it
        if refused_for_good(link) is False:
            return None
        found = _in_headers(link, now) or _in_texts(link, now, here)
        if found is not None:
            return QuotaWindow(dependency=dependency, until=found.until, said=found.said)
    return None


def _of_all(
    group: BaseExceptionGroup[BaseException], dependency: str, now: datetime, here: tzinfo | None
) -> QuotaWindow | None:
    """Return the window that ends first where all that was tried is closed."""
    found = [window_of(one, dependency, now, here) for one in group.exceptions]
    closed = [window for window in found if window is not None]
    return min(closed, key=lambda window: window.until) if len(closed) == len(found) else None


def _in_headers(error: BaseException, now: datetime) -> ResetTime | None:
    headers = {name: str(value) for name, value in headers_of(error).items()}
    refused = status_of(error) == TOO_MANY_REQUESTS
    used_up, unknown = list[ResetTime](), list[ResetTime]()
    for name, value in headers.items():
        until = reset_in_value(value, now) if _is_reset(name) else None
        if until is None:
            continue
        remaining = headers.get(name.replace("reset", "remaining"))
        group = used_up if _is_zero(remaining) else unknown
        group.append(ResetTime(until, f"{name}: {value}"))
    if used_up:
        return max(used_up)  # all of them must have reset
    stated = _long_retry_after(error, now)
    if stated is not None:
        return stated
    # Refused all the same, and not said by which limit: the one that resets first is enough to find out more.
    return min(unknown) if unknown and refused else None


def _is_reset(name: str) -> bool:
    return "ratelimit" in name.replace("-", "") and "reset" in name


def _is_zero(remaining: str | None) -> bool:
    return remaining is not None and re.fullmatch(r"\s*0+(?:\.0+)?\s*", remaining) is not None


def _long_retry_after(error: BaseException, now: datetime) -> ResetTime | None:
    """Return the end of a wait that is asked for and too long to be one between attempts."""
    seconds = retry_after_seconds(error, now, wrapped=False)
    if seconds is None or seconds <= LONGEST_RETRY_AFTER_SECONDS:
        return None
    try:
        until = within_bounds(now + timedelta(seconds=seconds), now)
    except OverflowError:
        return None
    return until and ResetTime(until, f"retry-after: {seconds:g} s")


def _in_texts(error: BaseException, now: datetime, here: tzinfo | None) -> ResetTime | None:
    if not _refuses(error):
        return None
    found = (reset_in_text(text, now, here) for text in _texts(error))
    return next((one for one in found if one is not None), None)


def _refuses(error: BaseException) -> bool:
    """Say whether an error comes from what refused a call, or from a command that failed."""
    if isinstance(error, AgentFailed):
        return bool(error.printed)
    codes = (getattr(error, name, None) for name in ("returncode", "exit_code"))
    if any(isinstance(code, int) and code != 0 for code in codes):
        return True
    return status_of(error) in _STATUSES or _NAMES.search(type(error).__name__) is not None


def _texts(error: BaseException) -> Iterator[str]:
    if not isinstance(error, AgentFailed):
        yield str(error)
    for name in _SAID_IN:
        said = getattr(error, name, None)
        if said:
            yield said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    yield _content(getattr(error, "response", None))


def _content(response: Foreign) -> str:
    """Return what a response says; one that was not read says nothing."""
    try:
        return str(getattr(response, "text", None) or "")
    except Exception:  # noqa: BLE001 - a client may refuse it, and must not hide the error that it came with
        return ""
