"""The tables of the journal, and the revision that the code expects. Changed only together with a migration.

`events` is the log. Everything else but `sessions` is an index of it, written in the same transaction: it holds what
queries and laws ask for, and the place of the event that says the rest. Rows of the log and of its indexes are written
only behind the row of their run, which the writer has locked; a foreign key would look it up for each of them again.

Database indexes are made by the migrations only: named here, the one that differs by database would import every
dialect (50 ms).
"""

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Integer, MetaData, String, Table, Text

#: The revision of the newest migration; a test holds both together.
HEAD = "0011"

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
    Column("counted", Integer),  # is what its steps use in `standing_spent`? Not known before its job asks (F10)
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
    Column("basis", String),  # of a step that later runs may keep; none of any other
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

#: Dispositions that were taken back, and are in the table above no more.
reopenings = Table(
    "reopenings",
    metadata,
    _number(),
    Column("concern_id", String, ForeignKey("concerns.id"), nullable=False),
    Column("run_id", String, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("disposed_seq", Integer, nullable=False),  # of the event that had ended the concern
)

gates = Table(
    "gates",
    metadata,
    _number(),
    Column("id", String, nullable=False, unique=True),
    Column("run_id", String, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("open", Integer, nullable=False),  # does it wait for an answer?
)

#: Of the events in which results were decided about: later runs of a job ask for the records of its agents.
autonomy = Table(
    "autonomy",
    metadata,
    Column("run_id", String, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
)

#: Of the events in which runs were looked back on: plans of later runs of a job learn from them.
reviews = Table(
    "reviews",
    metadata,
    Column("run_id", String, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
)

adjustments = Table(
    "adjustments",
    metadata,
    Column("run_id", String, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
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

#: What the steps of a run used, by the quarter of an hour in which they ended: an index of the log, kept for jobs with
#: standing budgets only.
standing_spent = Table(
    "standing_spent",
    metadata,
    Column("run_id", String, primary_key=True),
    Column("token", Integer, primary_key=True, autoincrement=False),  # of the session that wrote it
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("job", String, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("calls", BigInteger, nullable=False),
    Column("cost", Float[float](), nullable=False),
    Column("unpriced_tokens", BigInteger, nullable=False),
)

#: What the calls under way of one session may use, and have used that is in no log yet; ends with its session.
standing_claims = Table(
    "standing_claims",
    metadata,
    Column("run_id", String, primary_key=True),
    Column("part", String, primary_key=True),
    Column("token", Integer, primary_key=True, autoincrement=False),
    Column("under", Integer, nullable=False),  # token of the run
    Column("job", String, nullable=False),
    Column("held_tokens", BigInteger, nullable=False),
    Column("held_calls", BigInteger, nullable=False),
    Column("held_cost", Float[float](), nullable=False),
    Column("used_tokens", BigInteger, nullable=False),
    Column("used_calls", BigInteger, nullable=False),
    Column("used_cost", Float[float](), nullable=False),
)
