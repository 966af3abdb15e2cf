"""How a journal of an older version becomes one of this version; alembic reads the files of this folder."""
