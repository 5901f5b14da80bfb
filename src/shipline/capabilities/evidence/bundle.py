"""The evidence bundle of a release: one file with all that is needed to prove it, offline and without Shipline's
server.

    manifest.json        what release this is, its artifacts, and the sha256 of every other file
    manifest.dsse.json   the same bytes as a DSSE envelope, signed
    key.pub              the key that signed, for people; it proves nothing about who holds it
    envelopes/*.json     DSSE envelopes around in-toto statements
    reports/*            reports as the tools wrote them
    documents/*          the plan, verdicts and whatever else the release recorded
    sbom.cdx.json        the SBOM
    checkpoint.txt       the event log's checkpoint, a signed note, where the caller has one
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import rfc8785

from shipline.capabilities.evidence.archive import FILES_MAX, pack, unpack
from shipline.capabilities.evidence.dsse import Envelope, read_envelope, sign_envelope
from shipline.domain.artifact import Artifact
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import InvalidValue
from shipline.domain.strict_json import read_json
from shipline.ports.signer import Signer

MANIFEST_TYPE = "application/vnd.shipline.bundle-manifest+json"
SCHEMA = "shipline.bundle/1"
MANIFEST, MANIFEST_ENVELOPE, KEY, SBOM, CHECKPOINT = (
    "manifest.json",
    "manifest.dsse.json",
    "key.pub",
    "sbom.cdx.json",
    "checkpoint.txt",
)
MANIFEST_BYTES_MAX = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle is about. `commit` is the released commit; `files` maps each other file's name to its digest
    (`sha256:…`)."""

    schema: str
    package: str
    version: str
    tag: str
    commit: str
    created_us: int
    artifacts: tuple[Artifact, ...]
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class BundleContents:
    """What goes into a bundle. Keys of the mappings are file names without a folder."""

    package: str
    version: str
    tag: str
    commit: str
    created_us: int
    artifacts: tuple[Artifact, ...]
    envelopes: Mapping[str, Envelope] = field(default_factory=dict)
    reports: Mapping[str, bytes] = field(default_factory=dict)
    documents: Mapping[str, bytes] = field(default_factory=dict)
    sbom: bytes | None = None
    checkpoint: bytes | None = None


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle, read, and nothing about it believed yet. `manifest_envelope` carries exactly the bytes of
    `manifest.json`."""

    manifest: Manifest
    manifest_envelope: Envelope
    files: Mapping[str, bytes]

    def in_folder(self, folder: str) -> dict[str, bytes]:
        """The files of one folder, by their names without it."""
        return {
            name.removeprefix(f"{folder}/"): data for name, data in self.files.items() if name.startswith(f"{folder}/")
        }


def make_bundle(contents: BundleContents, signer: Signer) -> bytes:
    """The bundle's bytes; the same contents and signature give the same bytes."""
    files = _files(contents) | {KEY: signer.public_key_pem().encode("ascii")}
    manifest = Manifest(
        schema=SCHEMA,
        package=contents.package,
        version=contents.version,
        tag=contents.tag,
        commit=contents.commit,
        created_us=contents.created_us,
        artifacts=contents.artifacts,
        files={name: digest_of(data) for name, data in sorted(files.items())},
    )
    payload = rfc8785.dumps(to_json(manifest))
    envelope = sign_envelope(payload, MANIFEST_TYPE, signer)
    if len(payload) > MANIFEST_BYTES_MAX or len(files) + 2 > FILES_MAX:
        raise InvalidValue(f"a bundle holds at most {FILES_MAX} files", why=f"this one would hold {len(files) + 2}")
    return pack(files | {MANIFEST: payload, MANIFEST_ENVELOPE: envelope.to_bytes()})


def read_bundle(data: bytes) -> Bundle:
    """Read a bundle. Raises InvalidValue where the bytes are no bundle; says nothing about whether it is true."""
    files = unpack(data)
    missing = [name for name in (MANIFEST, MANIFEST_ENVELOPE, KEY) if name not in files]
    if missing:
        raise InvalidValue(f"the bundle holds no {missing[0]}", todo="give a file that `shipline bundle` wrote")
    envelope = read_envelope(files[MANIFEST_ENVELOPE])
    if envelope.payload_type != MANIFEST_TYPE or envelope.payload != files[MANIFEST]:
        raise InvalidValue(f"{MANIFEST_ENVELOPE} in the bundle is not about {MANIFEST}")
    if envelope.to_bytes() != files[MANIFEST_ENVELOPE]:
        raise InvalidValue(f"{MANIFEST_ENVELOPE} in the bundle is not as Shipline writes it")
    return Bundle(_manifest(files[MANIFEST]), envelope, files)


def _manifest(data: bytes) -> Manifest:
    document: Any = read_json(data, what="the bundle's manifest", limit_bytes=MANIFEST_BYTES_MAX)
    if isinstance(document, dict) and document.get("schema") != SCHEMA:
        raise InvalidValue(
            f"the bundle's manifest has the schema {str(document.get('schema'))[:60]!r}",
            todo=f"this version of Shipline reads {SCHEMA}",
        )
    return from_json(Manifest, document)


def digest_of(data: bytes) -> str:
    """`sha256:` and the hex digest of `data`."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _files(contents: BundleContents) -> dict[str, bytes]:
    files = {f"envelopes/{name}": envelope.to_bytes() for name, envelope in contents.envelopes.items()}
    files |= {f"reports/{name}": data for name, data in contents.reports.items()}
    files |= {f"documents/{name}": data for name, data in contents.documents.items()}
    files |= {} if contents.sbom is None else {SBOM: contents.sbom}
    return files | ({} if contents.checkpoint is None else {CHECKPOINT: contents.checkpoint})
