"""A report, read to its end before anything of it is stored: what is wrong with one may stand in its last line.

What is to be kept waits in a temporary file that has no name, so that memory holds some thousand findings of a report
of any size, and no transaction is open while it is read.
"""

from __future__ import annotations

import marshal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from shipline.capabilities.evidence import OpenReport, Report, is_comparable, open_report, pack_report
from shipline.capabilities.releases.stored.findings import BATCH, Row, row_of
from shipline.domain.evidence import EvidenceKind

CONTENT_BYTES_MAX = 32 * 1024 * 1024
"""Of what is kept to be compared later, compressed: a hundred times as much as what tools write."""


@dataclass(frozen=True, slots=True)
class ReadReport:
    """A report that was read. `name` is the file's, `digest` the `sha256:…` of its bytes.

    `report` has its figures and no items. `rows` are its findings, and are there for those alone;
    `content` is what later reports of the kind are compared with, None where none can be.
    """

    name: str
    digest: str
    report: Report
    rows: Spool | None = None
    content: bytes | None = None


class Spool:
    """Rows on the disk, in batches. The disk is given back when nobody has the spool any more."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `__del__`
        self.count = 0

    def fill(self, rows: Iterator[Row]) -> None:
        """Write all of them."""
        while batch := list(islice(rows, BATCH)):
            self.count += len(batch)
            packed = marshal.dumps(batch)
            self._file.write(len(packed).to_bytes(8, "big") + packed)

    def batches(self) -> Iterator[list[Row]]:
        """All of them, as they were written."""
        self._file.seek(0)
        left = self.count
        while left:
            # By its length: marshal's own reading of files asks for each value, which takes ten times as long.
            packed = self._file.read(int.from_bytes(self._file.read(8), "big"))
            batch = marshal.loads(packed)  # noqa: S302 - nobody else can name this file, and this process wrote it
            left -= len(batch)
            yield batch

    def __del__(self) -> None:
        self._file.close()


def read_to_keep(path: Path, *, name: str = "", format_name: str = "") -> ReadReport:
    """The report at `path`, read whole, with its file's name or the one that is given. InvalidValue if it cannot be."""
    with open_report(path, format_name=format_name) as report:
        return _read(report, name or path.name)


def _read(report: OpenReport, name: str) -> ReadReport:
    if report.kind is EvidenceKind.FINDINGS:
        spool = Spool()
        spool.fill(map(row_of, report.items))
        return ReadReport(name, report.digest, report.finished(), rows=spool)
    if not is_comparable(report.kind):
        for _ in report.items:
            pass
        return ReadReport(name, report.digest, report.finished())
    whole = report.finished(tuple(report.items))
    content = pack_report(whole)
    figures = report.finished()
    return ReadReport(name, report.digest, figures, content=content if len(content) <= CONTENT_BYTES_MAX else None)
