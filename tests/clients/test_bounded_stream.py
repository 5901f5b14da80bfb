"""What unpacks to too much ends in an error, before it fills the memory."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
from pathlib import Path

import pytest

from shipline.clients.bounded_stream import PIECE_BYTES_MAX, BoundedStream


def unpacked(content: bytes) -> gzip.GzipFile:
    return gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(content)))


def test_all_is_read_up_to_the_bound() -> None:
    assert BoundedStream(unpacked(b"abc"), 3).read() == b"abc"
    assert BoundedStream(unpacked(b"abc"), 3).read(2) == b"ab"
    with pytest.raises(ValueError, match="more than 2 bytes"):
        BoundedStream(unpacked(b"abc"), 2).read()
    with pytest.raises(ValueError, match="more than 2 bytes"):
        BoundedStream(unpacked(b"abc"), 2).seek(3)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_that_claims_to_be_huge_is_not_read(tmp_path: Path, kind: bytes) -> None:
    """Pax headers and long names are read whole, and zeros pack to a thousandth."""
    header = tarfile.TarInfo("x")
    header.type, header.size = kind, 512 << 20
    path = tmp_path / "p-1.tar.gz"
    with gzip.open(path, "wb", compresslevel=1) as packed:
        packed.write(header.tobuf(tarfile.GNU_FORMAT))
        for _ in range(64):
            packed.write(bytes(1 << 20))
    tracemalloc.start()
    with (
        gzip.open(path) as content,
        pytest.raises(ValueError, match="a header of"),
        tarfile.open(fileobj=BoundedStream(content, 1 << 30), mode="r:") as archive,
    ):
        list(archive)
    assert tracemalloc.get_traced_memory()[1] < 2 * PIECE_BYTES_MAX
    tracemalloc.stop()
