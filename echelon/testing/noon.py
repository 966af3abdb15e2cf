"""When everything happens in tests, unless something else is said."""

from datetime import UTC, datetime

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
