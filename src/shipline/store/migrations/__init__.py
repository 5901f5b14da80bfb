"""Schema migrations (Alembic). Applied by `Store.open`; never edited once released."""

# Every revision, oldest first. `Store.open` compares the last with the database's own before it loads Alembic.
REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006")
HEAD = REVISIONS[-1]
