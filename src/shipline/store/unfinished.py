"""Which releases have begun and not ended, read from an SQLite store without opening it: for plans, which have no time.

SQLAlchemy and the migrations take longer than a whole plan. What cannot be read so is left to who opens the store.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

QUERY = "SELECT package, version, status, MAX(created_us) FROM release GROUP BY package"
WAITING = ("preparing", "stopped", "refused")


def unfinished_releases(path: Path) -> dict[str, tuple[str, str]]:
    """For each package whose newest release is not out, its version and status; empty where that cannot be read."""
    import sqlite3  # noqa: PLC0415 - few plans come so far

    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=0.2)) as connection:
            rows = connection.execute(QUERY).fetchall()
    except sqlite3.Error:
        return {}
    return {package: (version, status) for package, version, status, _ in rows if status in WAITING}
