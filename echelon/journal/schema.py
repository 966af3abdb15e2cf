"""The tables of the journal, and the revision that the code expects. Changed only together with a migration.

Columns are what queries ask for; everything else of a record is JSON in `record`, so that a new optional field of a
value needs no migration. Numbers are given in the order of the commits of one process. Indexes are made by the
migrations only: named here, the one that differs by database would import every dialect (50 ms).
"""

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Integer, MetaData, String, Table, Text

#: The revision of the newest migration; a test holds both together.
HEAD = "0002"

#: SQLite numbers rows by itself only in a column of exactly this type.
_NUMBER = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()


def _number() -> Column[int]:
    return Column("number", _NUMBER, primary_key=True, autoincrement=True)


def _run_id() -> Column[str]:
    return Column("run_id", String, ForeignKey("runs.run_id"), nullable=False)


runs = Table(
    "runs",
    metadata,
    _number(),
    Column("run_id", String, nullable=False, unique=True),
    Column("job", String, nullable=False),
    Column("source", String, nullable=False),
    Column("inputs", Text, nullable=False),
    Column("inputs_digest", String, nullable=False),
    Column("status", String, nullable=False),
    Column("started", String, nullable=False),
    Column("finished", String),
    Column("report", String),
    Column("plan", Text),
    Column("token", Integer, nullable=False, server_default="0"),
    Column("flow_run_id", String),
)

sessions = Table(
    "sessions",
    metadata,
    _number(),
    _run_id(),
    Column("token", Integer, nullable=False),
    Column("expires", Float, nullable=False),
    Column("seen", String, nullable=False),
    Column("ended", String),
    Column("record", Text, nullable=False),
)

claims = Table(
    "claims",
    metadata,
    _number(),
    _run_id(),
    Column("key", String, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("settled", Boolean, nullable=False),
    Column("record", Text, nullable=False),
)

steps = Table(
    "steps",
    metadata,
    _number(),
    _run_id(),
    Column("key", String, nullable=False),
    Column("phase", String, nullable=False),
    Column("node", String, nullable=False),
    Column("status", String, nullable=False),
    Column("record", Text, nullable=False),
)

exceptions = Table(
    "exceptions",
    metadata,
    _number(),
    _run_id(),
    Column("record", Text, nullable=False),
)

concerns = Table(
    "concerns",
    metadata,
    _number(),
    Column("id", String, nullable=False, unique=True),
    _run_id(),
    Column("record", Text, nullable=False),
)

dispositions = Table(
    "dispositions",
    metadata,
    Column("concern_id", String, ForeignKey("concerns.id"), primary_key=True),
    Column("record", Text, nullable=False),
)

events = Table(
    "events",
    metadata,
    _number(),
    _run_id(),
    Column("kind", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("payload", Text, nullable=False),
    Column("at", String, nullable=False),
)
