"""Bills of materials of built npm packages: what their package.json names, at the versions of the lock file.

The lock is npm's own (lockfileVersion 2 and 3, which has `packages`), at the package or at the top of its workspace;
it is looked through as Node.js looks for modules. From: https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json
and https://nodejs.org/api/modules.html#loading-from-node_modules-folders. What a plain installation brings is listed:
no devDependencies, optional ones and peers where the lock has them. Without such a lock, or without an entry in it, a
dependency stands without a version, since nobody knows which one an installation will bring.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

from shipline.capabilities.evidence.bills.bill import Bill, Part
from shipline.capabilities.evidence.distributions import MEMBERS_MAX, METADATA_BYTES_MAX, UNPACKED_BYTES_MAX, UNREADABLE
from shipline.capabilities.evidence.lock_files import nearest_lock
from shipline.clients.bounded_stream import BoundedStream
from shipline.domain.errors import InvalidValue
from shipline.domain.strict_json import read_json

LOCKS = ("npm-shrinkwrap.json", "package-lock.json")
LOCK_BYTES_MAX = 64 * 1024 * 1024
PARTS_MAX = 50_000
_HASHES = {"sha1": "SHA-1", "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}


@dataclass(frozen=True, slots=True)
class Lock:
    """`packages` are its entries by their place, `place` is that of the package itself: "" at the lock's own folder."""

    packages: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    place: str = ""


def find_npm_lock(source: Path, folder: str) -> Lock:
    """The lock that holds for the package in `folder` of a tree: the nearest one upwards; an empty one without any.

    Raises InvalidValue for one that is not JSON, is too large or a link.
    """
    found = nearest_lock(source, folder, LOCKS)
    if found is None:
        return Lock()
    path, above = found
    inner = PurePosixPath(folder)
    return _read_lock(path, "" if above == inner else inner.relative_to(above).as_posix())


def _read_lock(path: Path, place: str) -> Lock:
    with path.open("rb") as file:
        document = read_json(file.read(LOCK_BYTES_MAX + 1), what=path.name, limit_bytes=LOCK_BYTES_MAX)
    packages: Any = document.get("packages") if isinstance(document, dict) else None
    if not isinstance(packages, dict):
        return Lock()  # Of npm 6: it does not say where what lies.
    return Lock({place: entry for place, entry in packages.items() if isinstance(entry, dict)}, place)


def npm_bill(file: Path, lock: Lock, *, serial: UUID, created_us: int) -> Bill:
    """What the package in the tarball `file` needs. Raises InvalidValue where it is none."""
    manifest, sha256 = _packed(file)
    walk = _Walk(lock)
    subject = _part(_text(manifest, "name"), manifest)
    walk.follow(subject, manifest, lock.place)
    parts = {purl: part for purl, part in walk.parts.items() if purl != subject.purl}
    needs = {
        purl: tuple(sorted(need for need in needed if need in parts))
        for purl, needed in sorted(walk.needs.items())
        if purl == subject.purl or purl in parts
    }
    return Bill(
        subject=subject,
        files=((file.name, sha256),),
        parts=tuple(parts[purl] for purl in sorted(parts)),
        needs=needs,
        serial=serial,
        created=datetime.fromtimestamp(created_us // 1_000_000, UTC),
    )


class _Walk:
    """Goes from the package to all that it needs, each place of the lock once."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._seen: set[str] = set()
        self.parts: dict[str, Part] = {}
        self.needs: dict[str, set[str]] = {}

    def follow(self, subject: Part, manifest: Mapping[str, Any], place: str) -> None:
        """Note what `subject`, which lies at `place` and says `manifest` of itself, needs, and what that needs."""
        waiting = [(subject, manifest, place)]
        while waiting:
            part, said, place = waiting.pop()
            self.needs.setdefault(part.purl, set())
            for name, (wanted, may_be_absent) in _needed(said).items():
                found = self._place_of(name, place)
                if found is None and may_be_absent:
                    continue
                entry = self._lock.packages[found] if found is not None else {}
                needed = _part(name, entry) if found is not None else _unknown(name, wanted)
                self.needs[part.purl].add(needed.purl)
                self.parts.setdefault(needed.purl, needed)
                if len(self.parts) > PARTS_MAX:
                    raise InvalidValue(f"the lock of the npm package lists more than {PARTS_MAX} packages")
                if found is not None and found not in self._seen:
                    self._seen.add(found)
                    waiting.append((needed, entry, found))

    def _place_of(self, name: str, place: str) -> str | None:
        """Where a module of this name is found from `place`, None where nowhere."""
        folder = place
        while True:
            candidate = f"{folder}/node_modules/{name}" if folder else f"node_modules/{name}"
            entry = self._lock.packages.get(candidate)
            if entry is not None:
                target = entry.get("resolved")
                # A package of the workspace lies elsewhere, and is linked to.
                is_link = entry.get("link") is True and isinstance(target, str) and target in self._lock.packages
                return str(target) if is_link else candidate
            if not folder:
                return None
            folder = folder.rpartition("/")[0]


def _needed(said: Mapping[str, Any]) -> dict[str, tuple[str, bool]]:
    """The range that is wanted of each dependency, and whether it may be absent."""
    optional_peers = {name for name, about in _table(said, "peerDependenciesMeta").items() if _is_optional(about)}
    found = {name: (str(wanted), name in optional_peers) for name, wanted in _table(said, "peerDependencies").items()}
    found |= {name: (str(wanted), False) for name, wanted in _table(said, "dependencies").items()}
    # npm lists optional ones among the dependencies of a package.json in the registry, too.
    return found | {name: (str(wanted), True) for name, wanted in _table(said, "optionalDependencies").items()}


def _is_optional(about: Any) -> bool:
    return isinstance(about, dict) and about.get("optional") is True


def _table(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = said.get(name)
    return found if isinstance(found, dict) else {}


def _part(name: str, entry: Mapping[str, Any]) -> Part:
    """A package at the version that its entry states. An alias is listed as what it stands for."""
    real = entry.get("name")
    version = entry.get("version")
    licence = entry.get("license")
    group, short = _names(real if isinstance(real, str) and real else name)
    return Part(
        purl=_purl(group, short, version if isinstance(version, str) else None),
        name=short,
        group=group,
        version=version if isinstance(version, str) else None,
        licence=licence if isinstance(licence, str) else "",
        hashes=dict(_integrity(entry.get("integrity"))),
    )


def _unknown(name: str, wanted: str) -> Part:
    group, short = _names(name)
    return Part(_purl(group, short, None), short, None, group, properties={"shipline:npm:range": wanted[:500]})


def _names(name: str) -> tuple[str, str]:
    scope, _, short = name.rpartition("/")
    return scope, short


def _purl(group: str, name: str, version: str | None) -> str:
    from packageurl import PackageURL  # noqa: PLC0415 - most commands have no use for it

    return PackageURL("npm", namespace=group or None, name=name, version=version).to_string()


def _integrity(stated: Any) -> list[tuple[str, str]]:
    """From: https://w3c.github.io/webappsec-subresource-integrity/, as npm writes it. What cannot be read is left out:
    a hash is said of a package, and proves nothing here."""
    found = []
    for one in stated.split() if isinstance(stated, str) else ():
        kind, _, value = one.partition("-")
        if kind in _HASHES:
            try:
                found.append((_HASHES[kind], base64.b64decode(value.partition("?")[0], validate=True).hex()))
            except binascii.Error:
                continue
    return found


def _packed(path: Path) -> tuple[dict[str, Any], str]:
    """The package.json in a tarball's one folder, and the tarball's sha256."""
    try:
        data = _manifest(path)
        document = json.loads(data)
    except (*UNREADABLE, RecursionError) as error:
        raise InvalidValue(f"{path.name} is no npm package", why=str(error)[:200]) from None
    if not isinstance(document, dict) or not _text(document, "name") or not _text(document, "version"):
        raise InvalidValue(f"the package.json in {path.name} states no name and version")
    with path.open("rb") as file:
        return document, hashlib.file_digest(file, "sha256").hexdigest()


def _manifest(path: Path) -> bytes:
    with gzip.open(path) as unpacked:
        stream = BoundedStream(unpacked, UNPACKED_BYTES_MAX)
        with tarfile.open(fileobj=stream, mode="r:") as archive:
            for count, member in enumerate(archive):
                parts = PurePosixPath(member.name).parts
                file = archive.extractfile(member) if member.isreg() and parts[1:] == ("package.json",) else None
                if file is not None:
                    return file.read(METADATA_BYTES_MAX)
                if count > MEMBERS_MAX:
                    break
    raise ValueError("it holds no package.json")


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""
