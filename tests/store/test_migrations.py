"""Stores of earlier schemas are brought up to date with what they hold."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from shipline.domain.evidence import Evidence, EvidenceKind
from shipline.store import tables
from shipline.store.database import Store
from shipline.store.migrations import HEAD
from shipline.store.rows import Rows


def at_revision(url: str, revision: str) -> Store:
    """A store as an earlier version of the code has left it."""
    store = Store(url).open()
    configuration = Config()
    configuration.set_main_option("script_location", "shipline.store:migrations")
    with store.engine.begin() as connection:
        tables.metadata.drop_all(connection)
        connection.execute(text("DELETE FROM alembic_version"))
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, revision)
    return store


def test_a_store_of_the_first_schema_keeps_its_evidence(store_url: str) -> None:
    """A piece that was written before there were names and rows has none."""
    store = at_revision(store_url, "0001")
    body = (
        '{"id": "evd_1", "release_id": "rel_1", "kind": "findings", "tool": "bandit", "format": "bandit",'
        ' "digest": "sha256:1", "created_us": 1, "subjects": [], "summary": {"total": 0}}'
    )
    with store.begin() as tx:
        tx.connection.execute(
            text(
                "INSERT INTO evidence (id, organisation_id, project_id, release_id, kind, digest, created_us, body)"
                " VALUES ('evd_1', :organisation, :project, 'rel_1', 'findings', 'sha256:1', 1, :body)"
            ),
            {"organisation": tx.project.organisation_id, "project": tx.project.id, "body": body},
        )
    store.close()
    store = Store(store_url).open()
    with store.begin() as tx:
        piece = Rows("evidence", Evidence).find(tx, "evd_1")
        assert tx.connection.scalar(text("SELECT version_num FROM alembic_version")) == HEAD
    assert piece == Evidence(
        "evd_1", "rel_1", EvidenceKind.FINDINGS, "bandit", "bandit", "sha256:1", 1, summary={"total": 0}
    )
    store.close()
