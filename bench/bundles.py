"""Evidence bundles for the bench of the gates: one of many statements, and one whose every byte is changed in turn."""

from __future__ import annotations

import tempfile
from pathlib import Path

from shipline.capabilities.evidence import (
    IN_TOTO,
    Build,
    BundleContents,
    document_bytes,
    make_bundle,
    read_bundle,
    read_public_key,
    sign_envelope,
    statement_of_provenance,
)
from shipline.capabilities.evidence.verification import verify
from shipline.domain.actor import SYSTEM
from shipline.domain.artifact import Artifact
from shipline.domain.errors import InvalidValue
from shipline.domain.event import Event
from shipline.store.database import Store
from shipline.store.excerpts import excerpt
from shipline.store.log import sequence
from shipline.store.notes import NoteSigningKey
from shipline.testing.fakes.signer import MemorySigner

ARTIFACT = Artifact("a.whl", "wheel", "sha256:" + "2" * 64, 5)
COMMIT = "c" * 40
SIGNER = MemorySigner(1)
LOG_KEY = NoteSigningKey(name="example.org/log", seed=bytes(range(32)))


def write_bundle(path: Path, statements: int) -> None:
    """A bundle of so many statements, the public key beside it, and two events with their proofs."""
    build = Build("quotes", "1.0", "", COMMIT, "urn:x", "rel_1/1", 0, 0)
    envelope = sign_envelope(statement_of_provenance([ARTIFACT], build), IN_TOTO, SIGNER)
    log, checkpoint = _log()
    contents = BundleContents(
        package="quotes",
        version="1.0",
        tag="v1.0",
        commit=COMMIT,
        created_us=0,
        artifacts=(ARTIFACT,),
        envelopes={f"s{number:05}.json": envelope for number in range(statements)},
        documents={"log.json": log},
        checkpoint=checkpoint,
    )
    path.write_bytes(make_bundle(contents, SIGNER))
    path.with_suffix(".pub").write_text(SIGNER.public_key_pem())


def _log() -> tuple[bytes, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{Path(folder) / 'store.db'}").open()
        for number in range(2):
            with store.begin() as tx:
                tx.append(Event(f"evt_{number}", "release:rel_1", "ReleasePublished", 0, SYSTEM, {}))
        sequence(store, LOG_KEY)
        found = excerpt(store, ["release:rel_1"])
        store.close()
    assert found is not None  # noqa: S101 - both events were given a place
    return document_bytes(found), found.checkpoint.encode()


def changed_and_proven(path: Path) -> list[int]:
    """The places of a bundle whose byte can be changed, each bit that tells cases apart and one other, and it is proven
    all the same: none."""
    data, keys = path.read_bytes(), [read_public_key(SIGNER.public_key_pem().encode())]
    if not verify(read_bundle(data), keys, {}).proven:
        return [-1]
    found = []
    for place in range(len(data)):
        for bit in (0x01, 0x20):
            changed = data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :]
            try:
                proven = verify(read_bundle(changed), keys, {}).proven
            except InvalidValue:
                continue
            if proven:
                found.append(place)
    return found
