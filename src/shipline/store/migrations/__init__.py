"""Schema migrations (Alembic). Applied by `Store.open`; never edited once released."""
