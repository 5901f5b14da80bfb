"""Bills of npm packages, from a lock that npm 11.19 wrote, held against what `npm sbom` lists of it."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from shipline.capabilities.evidence.bills.bill import Bill
from shipline.capabilities.evidence.bills.cyclonedx_document import cyclonedx_of
from shipline.capabilities.evidence.bills.spdx_document import spdx_of
from shipline.capabilities.evidence.npm_packages import Lock, find_npm_lock, npm_bill
from shipline.capabilities.evidence.reports import read_report_bytes
from shipline.domain.errors import InvalidValue

# A workspace of two packages; `resolved` was taken out, which names a registry, but for the links.
LOCK = Path("tests/data/npm-lock")
SERIAL = UUID("0193b3c0-0000-7000-8000-000000000001")
API: dict[str, Any] = {
    "name": "@shop/api",
    "version": "1.2.0",
    "license": "MIT",
    "dependencies": {"@shop/shared": "^1.0.0", "chalk": "^4.1.2", "@sindresorhus/is": "^4.0.0"},
    "devDependencies": {"left-pad": "^1.3.0"},
    "optionalDependencies": {"fsevents": "^2.3.0", "not-in-the-lock": "1"},
    "peerDependencies": {"react": ">=18", "vue": "3"},
    "peerDependenciesMeta": {"vue": {"optional": True}},
}
# From: npm 11.19, `npm sbom --sbom-format cyclonedx --package-lock-only --omit dev -w @shop/api`.
NPM_LISTS = {
    "pkg:npm/%40shop/shared@1.0.1",
    "pkg:npm/%40sindresorhus/is@4.6.0",
    "pkg:npm/ansi-styles@4.3.0",
    "pkg:npm/chalk@4.1.2",
    "pkg:npm/color-convert@1.9.3",
    "pkg:npm/color-convert@2.0.1",
    "pkg:npm/color-name@1.1.3",
    "pkg:npm/color-name@1.1.4",
    "pkg:npm/fsevents@2.3.3",
    "pkg:npm/has-flag@4.0.0",
    "pkg:npm/supports-color@7.2.0",
}


def tarball(folder: Path, manifest: Any, *, name: str = "package/package.json") -> Path:
    """As `npm pack` makes one."""
    data = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    path = folder / "api.tgz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return path


def bill(folder: Path, lock: Lock, manifest: Any = API) -> Bill:
    return npm_bill(tarball(folder, manifest), lock, serial=SERIAL, created_us=1_700_000_000_000_000)


def test_it_lists_what_npm_lists(tmp_path: Path) -> None:
    """And the peer that is not in the lock, without a version; who needs which of two versions is told."""
    made = bill(tmp_path, find_npm_lock(LOCK, "packages/api"))
    assert {part.purl for part in made.parts} == NPM_LISTS | {"pkg:npm/react"}
    assert made.needs["pkg:npm/%40shop/shared@1.0.1"] == ("pkg:npm/color-convert@1.9.3",)
    assert made.needs["pkg:npm/ansi-styles@4.3.0"] == ("pkg:npm/color-convert@2.0.1",)
    chalk = next(part for part in made.parts if part.name == "chalk")
    assert (chalk.licence, len(chalk.hashes["SHA-512"])) == ("MIT", 128)


def test_both_documents_are_valid_and_read_back(tmp_path: Path) -> None:
    """CycloneDX by its validator; both by our own readers, with the same components."""
    made = bill(tmp_path, find_npm_lock(LOCK, "packages/api"))
    document = cyclonedx_of(made)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(document.decode()) is None
    spdx = spdx_of(made)
    listed = {item["purl"] for item in read_report_bytes(spdx).items}
    # SPDX lists the product itself among its packages.
    assert listed - {"pkg:npm/%40shop/api@1.2.0"} == {item["purl"] for item in read_report_bytes(document).items}
    assert (document, spdx) == (cyclonedx_of(made), spdx_of(made))


def test_spdx_is_valid_by_its_own_tools(tmp_path: Path) -> None:
    """spdx-tools, which is not needed otherwise: where it is not installed, this says so."""
    parsing = pytest.importorskip("spdx_tools.spdx.parser.parse_anything", reason="spdx-tools is not installed")
    validation = pytest.importorskip("spdx_tools.spdx.validation.document_validator")
    path = tmp_path / "sbom.spdx.json"
    manifest = API | {"license": "LicenseRef-own"}
    path.write_bytes(spdx_of(bill(tmp_path, find_npm_lock(LOCK, "packages/api"), manifest)))
    assert validation.validate_full_spdx_document(parsing.parse_file(str(path))) == []


def test_without_a_lock_versions_are_not_known(tmp_path: Path) -> None:
    """The declared ones stand with their ranges. A lock of npm 6 does not say where what lies."""
    (tmp_path / "package-lock.json").write_text('{"lockfileVersion": 1, "dependencies": {}}')
    for lock in (find_npm_lock(tmp_path, "."), Lock()):
        made = bill(tmp_path, lock)
        assert {part.name: part.version for part in made.parts} == dict.fromkeys(("shared", "chalk", "is", "react"))
        assert made.parts[-1].properties == {"shipline:npm:range": ">=18"}


@pytest.mark.parametrize(
    "manifest", [b"", b"[]", b"{", b'{"name": "a"}', b'{"name": 1, "version": "1"}', b"[" * 100_000, b"\xff"]
)
def test_what_is_no_npm_package_is_refused(tmp_path: Path, manifest: bytes) -> None:
    with pytest.raises(InvalidValue):
        bill(tmp_path, Lock(), manifest)


def test_odd_locks_break_nothing(tmp_path: Path) -> None:
    """Rings, links to themselves, entries of other types; a link as the lock itself is refused."""
    ring: dict[str, Any] = {
        "node_modules/chalk": {"version": "1", "dependencies": {"is": "1"}, "integrity": "sha512-%% sha1"},
        "node_modules/is": {"version": 1, "dependencies": {"chalk": "1"}, "license": {"type": "MIT"}},
        "node_modules/@shop/shared": {"link": True, "resolved": "node_modules/@shop/shared"},
    }
    made = bill(tmp_path, Lock(ring), API | {"dependencies": {"chalk": "1", "@shop/shared": "*"}})
    assert {part.purl for part in made.parts} >= {"pkg:npm/chalk@1", "pkg:npm/is", "pkg:npm/%40shop/shared"}
    (tmp_path / "package-lock.json").symlink_to("/dev/zero")
    with pytest.raises(InvalidValue, match="link"):
        find_npm_lock(tmp_path, ".")
