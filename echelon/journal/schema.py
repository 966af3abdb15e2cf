"""The tables of the journal, and the revision that the code expects. Changed only together with a migration.

`events` is the log. Everything else but `sessions` is an index of it, written in the same transaction: it holds what
queries and laws ask for, and the place of the event that says the rest. Rows of the log and of its indexes are written
only behind the row of their run, which the writer has locked; a foreign key would look it up for each of them again.

Database indexes are made by the migrations only: named here, the one that differs by database would import every
dialect (50 ms).
"""

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Integer, MetaData, String, Table, Text

#: The revision of the newest migration; a test holds both together.
HEAD = "0004"

#: SQLite numbers rows by itself only in a column of exactly this type.
_NUMBER = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()


def _number() -> Column[int]:
    return Column("number", _NUMBER, primary_key=True, autoincrement=True)


events = Table(
    "events",
    metadata,
    Column("run_id", String, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("at", String, nullable=False),
    Column("payload", Text, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    _number(),
    Column("run_id", String, nullable=False, unique=True),
    Column("seq", Integer, nullable=False, server_default="0"),  # of the newest event of the run
    Column("plan_seq", Integer),  # of the event with its newest plan
    Column("token", Integer, nullable=False, server_default="0"),  # of the process that took it last
    Column("job", String, nullable=False),
    Column("source", String, nullable=False),
    Column("inputs", Text, nullable=False),
    Column("inputs_digest", String, nullable=False),
    Column("status", String, nullable=False),
    Column("started", String, nullable=False),
    Column("finished", String),
    Column("report", String),
    Column("flow_run_id", String),
    Column("parent_run_id", String),
    Column("parent_task", String),
)

steps = Table(
    "steps",
    metadata,
    Column("run_id", String, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("key", String, nullable=False),
    Column("phase", String, nullable=False),
    Column("node", String, nullable=False),
    Column("status", String, nullable=False),
    sqlite_with_rowid=False,  # one tree less to write
)

concerns = Table(
    "concerns",
    metadata,
    _number(),
    Column("id", String, nullable=False, unique=True),
    Column("run_id", String, nullable=False),
    Column("seq", Integer, nullable=False),
)

dispositions = Table(
    "dispositions",
    metadata,
    Column("concern_id", String, ForeignKey("concerns.id"), primary_key=True),
    Column("run_id", String, nullable=False),
    Column("seq", Integer, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    _number(),
    Column("run_id", String, ForeignKey("runs.run_id"), nullable=False),
    Column("part", String, nullable=False, server_default=""),  # empty for the run itself
    Column("token", Integer, nullable=False),
    Column("expires", Float[float](), nullable=False),
    Column("seen", String, nullable=False),
    Column("ended", String),
    Column("record", Text, nullable=False),
)
