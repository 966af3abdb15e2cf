"""What alembic runs: the migrations, on the connection it is handed, inside the transaction that is open on it."""

from alembic import context

from echelon.journal import schema

context.configure(connection=context.config.attributes["connection"], target_metadata=schema.metadata)
context.run_migrations()
