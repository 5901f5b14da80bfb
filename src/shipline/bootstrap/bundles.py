"""A release's bundle as it stands now, wired: what all rooms know of it, under a checkpoint that holds all of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shipline.bootstrap.application import Application
    from shipline.domain.release import Release


def bundle_of(application: Application, release: Release) -> bytes:
    """The bundle. Events that have no place in the log yet get one first. Errors as of `whole_bundle`."""
    from shipline.bootstrap.project import LOG_KEY_VARIABLE
    from shipline.capabilities.evidence import document_bytes
    from shipline.capabilities.releases import Besides, whole_bundle
    from shipline.capabilities.rollouts import rollouts_document, rollouts_of_release
    from shipline.store.keys import load_or_create_log_key, log_key_path
    from shipline.store.log import sequence

    store, setting = application.store, os.environ.get(LOG_KEY_VARIABLE, "")
    sequence(store, load_or_create_log_key(log_key_path(store, Path(setting) if setting else None)))
    with store.begin() as tx:
        rollouts = rollouts_of_release(tx, release)
        document = rollouts_document(tx, rollouts)
    documents = {"rollouts.json": document_bytes(document)} if rollouts else {}
    return whole_bundle(
        application.release_ground, release, Besides(documents, tuple(f"rollout:{one.id}" for one in rollouts))
    )
