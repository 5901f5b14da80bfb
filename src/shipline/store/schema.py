"""The schema's version: checked by plain SQL on every opening, brought up to date by Alembic where it is behind."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from shipline.domain.errors import ShiplineError
from shipline.store.engines import SNAPSHOT
from shipline.store.errors import CorruptStore, named
from shipline.store.migrations import HEAD, REVISIONS
from shipline.store.tables import metadata

# Any number that nothing else in the database locks; it keeps two fresh nodes from migrating at once.
MIGRATION_LOCK = 0x5348_4950


def bring_up_to_date(engine: Engine, path: Path | None) -> None:
    """Migrate to HEAD in one transaction; nothing but a look where the schema is current.

    Safe when several processes open a store at once. Raises ShiplineError for a schema that this code does not know.
    """
    with engine.connect().execution_options(**{SNAPSHOT: True}) as connection:
        if _is_current(connection, path):
            return
    with engine.begin() as connection:
        # SQLite's transaction holds the only write lock from its beginning.
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        if not _is_current(connection, path):
            _upgrade(connection)


def _is_current(connection: Connection, path: Path | None) -> bool:
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" not in tables:
        foreign = sorted(tables & set(metadata.tables))
        if foreign:
            raise CorruptStore(named(path), why=f"it has a table {foreign[0]!r}, but no record of Shipline's schema")
        return False
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if found is not None and found not in REVISIONS:
        raise ShiplineError(
            f"{named(path)} was written by a newer Shipline",
            why=f"its schema is {str(found)[:40]!r}, this version knows up to {HEAD!r}",
            todo="upgrade Shipline on this machine; nothing was changed",
        )
    return bool(found == HEAD)


def _upgrade(connection: Connection) -> None:
    # Alembic takes longer to load than a current store takes to open.
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.config import Config  # noqa: PLC0415 - see above

    configuration = Config()
    configuration.set_main_option("script_location", "shipline.store:migrations")
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, "head")
