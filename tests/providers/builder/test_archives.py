"""Archives are read within bounds, whatever their headers say."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from shipline.domain.errors import ShiplineError
from shipline.providers.builder.archives import (
    METADATA_BYTES_MAX,
    npm_identity,
    sdist_identity,
    wheel_identity,
)

METADATA = b"Metadata-Version: 2.1\nName: quotes\nVersion: 1.0\n\nVersion: 9.9 stands in the text\n"


def write_wheel(path: Path, *members: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def write_tar(path: Path, *members: tuple[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_each_kind_states_name_and_version(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / "a.whl", ("quotes-1.0.dist-info/METADATA", METADATA))
    assert wheel_identity(wheel) == ("quotes", "1.0")
    sdist = write_tar(tmp_path / "a.tar.gz", ("quotes-1.0/x/PKG-INFO", b""), ("quotes-1.0/PKG-INFO", METADATA))
    assert sdist_identity(sdist) == ("quotes", "1.0")
    npm = write_tar(tmp_path / "a.tgz", ("package/package.json", b'{"name":"@q/api","version":"1.0.0"}'))
    assert npm_identity(npm) == ("@q/api", "1.0.0")


BOMB = b"\x00" * (METADATA_BYTES_MAX + 1)


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("none.whl", []),
        ("two.whl", [("a-1.dist-info/METADATA", METADATA), ("b-1.dist-info/METADATA", METADATA)]),
        ("deep.whl", [("x/a-1.dist-info/METADATA", METADATA)]),
        ("empty.whl", [("a-1.dist-info/METADATA", b"")]),
        ("large.whl", [("a-1.dist-info/METADATA", BOMB)]),
        ("none.tar.gz", []),
        ("deep.tar.gz", [("a/b/PKG-INFO", METADATA)]),
        ("large.tar.gz", [("a/PKG-INFO", BOMB)]),
        ("list.tgz", [("package/package.json", b"[]")]),
        ("nested.tgz", [("package/package.json", b"[" * 100_000)]),
    ],
)
def test_what_states_nothing_or_too_much_is_refused(
    name: str, members: list[tuple[str, bytes]], tmp_path: Path
) -> None:
    path = tmp_path / name
    if name.endswith(".whl"):
        write_wheel(path, *members)
    else:
        write_tar(path, *members)
    with pytest.raises(ShiplineError):
        identity_of(path)(path)


def identity_of(path: Path) -> Callable[[Path], tuple[str, str]]:
    if path.name.endswith(".whl"):
        return wheel_identity
    return npm_identity if path.name.endswith(".tgz") else sdist_identity


@pytest.mark.parametrize("name", ["a.whl", "a.tar.gz"])
@pytest.mark.parametrize(
    "content", [b"", b"no archive", gzip.compress(b"no tar", mtime=0), gzip.compress(METADATA, mtime=0)[:-9]]
)
def test_what_is_no_archive_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ShiplineError):
        identity_of(path)(path)


def test_a_zip_whose_directory_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.whl"
    path.write_bytes(struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFF0, 0, 0))
    with pytest.raises(ShiplineError, match="cannot be read") as caught:
        wheel_identity(path)
    assert "directory is too large" in caught.value.why
