"""A stream that ends in an error where it gives more than it may: a small file may unpack to any size."""

from __future__ import annotations

import gzip
import io

# A tar's own header may claim any length, and is asked for in one piece.
PIECE_BYTES_MAX = 16 << 20


class BoundedStream(io.RawIOBase):
    """Reads and seeks in `source` up to `bytes_max`, at most PIECE_BYTES_MAX at once. ValueError beyond either."""

    def __init__(self, source: gzip.GzipFile, bytes_max: int) -> None:
        self._source = source
        self._bytes_max = bytes_max

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is: tarfile reads a stream that is not in small pieces, and keeps them all."""
        return True

    def tell(self) -> int:
        """As usual."""
        return self._source.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """From the start, or from here."""
        place = offset + (self.tell() if whence == io.SEEK_CUR else 0)
        if whence == io.SEEK_END or place > self._bytes_max:
            raise self._too_much()
        return self._source.seek(place)

    def read(self, size: int = -1) -> bytes:
        """As usual; -1 asks for a piece."""
        if size > PIECE_BYTES_MAX:
            raise ValueError(f"it holds a header of {size} bytes")
        data = self._source.read(size if size >= 0 else PIECE_BYTES_MAX)
        if self.tell() > self._bytes_max:
            raise self._too_much()
        return data

    def _too_much(self) -> ValueError:
        return ValueError(f"it unpacks to more than {self._bytes_max} bytes")
