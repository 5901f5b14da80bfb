"""Files in, values out. Nothing here saves: the rows are the caller's."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shipline.capabilities.evidence.archive import ARCHIVE_BYTES_MAX
from shipline.capabilities.evidence.bundle import CHECKPOINT, KEY, read_bundle
from shipline.capabilities.evidence.checks import Verification
from shipline.capabilities.evidence.keys import PublicKey
from shipline.capabilities.evidence.reports import (
    STREAMED_BYTES_MAX,
    WHOLE_BYTES_MAX,
    Item,
    Report,
    ReportFile,
    finished_report,
    format_of,
    read_summary,
    read_whole,
    start_reading,
)
from shipline.capabilities.evidence.verification import verify
from shipline.domain.errors import InvalidValue
from shipline.domain.secrecy import may_hold_secrets, redacted_json

if TYPE_CHECKING:
    from shipline.capabilities.evidence.comparison import Comparison
    from shipline.capabilities.evidence.reports import Format, Reading
    from shipline.domain.evidence import EvidenceKind
    from shipline.store.notes import NotePublicKey

LINES_AT_ONCE = 500
"""Of a document that is printed: a write for each would take longer than reading the report."""


def read_report(path: Path, *, format_name: str = "") -> Report:
    """Read the report at `path` with all its items, its format found by its content if it is not named.

    Raises InvalidValue for what is no plain file, is larger than its format may be, or is refused by its reader.
    """
    with _report_file(path) as file:
        return read_whole(file, format_name=format_name)


def summarise_report(path: Path, *, format_name: str = "") -> Report:
    """Read the report at `path` to its end and keep its figures alone. Raises as `read_report`."""
    with _report_file(path) as file:
        return read_summary(file, format_name=format_name)


def report_document(path: Path, *, format_name: str = "") -> Iterator[str]:
    """The report's document, some lines at a time, an item a line. Raises as `read_report`, before the first line.

    The report is read twice, so that its figures come first and memory holds few items at a time.
    """
    with _report_file(path) as file:
        form = format_of(file, format_name)
        report = read_summary(file, format_name=form.name)
        head = [f"  {_json(name)}: {_json(value)}," for name, value in report.head().items()]
        yield "\n".join(["{", *head, '  "items": ['])
        lines: list[str] = []
        for item, following in pairwise(chain(start_reading(file, form).items, (None,))):
            lines.append(f"    {_json(item)}{',' if following is not None else ''}")
            if len(lines) >= LINES_AT_ONCE:
                yield "\n".join(lines)
                lines.clear()
        yield "\n".join([*lines, "  ]", "}"])


@dataclass(frozen=True, slots=True)
class OpenReport:
    """A report whose items can be taken, one by one and once. `digest` is the `sha256:…` of its bytes."""

    form: Format
    reading: Reading
    digest: str

    @property
    def kind(self) -> EvidenceKind:
        """What it is about; known before it is read."""
        return self.form.kind

    @property
    def items(self) -> Iterator[Item]:
        """The items. InvalidValue may come with any of them."""
        return self.reading.items

    def finished(self, items: tuple[Item, ...] = ()) -> Report:
        """The report, once all items were taken; with those that are given."""
        return finished_report(self.form, self.reading, items)


@contextmanager
def open_report(path: Path, *, format_name: str = "") -> Iterator[OpenReport]:
    """The report at `path`, for who keeps its items as they come. Raises as `read_report`, also within the block."""
    with _plain_file(path, limit_bytes=STREAMED_BYTES_MAX) as (file, size_bytes):
        digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
        report = ReportFile(file, size_bytes)
        form = format_of(report, format_name)
        yield OpenReport(form, start_reading(report, form), digest)


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return json.dumps(redacted_json(value), ensure_ascii=False) if may_hold_secrets(text) else text


@contextmanager
def _report_file(path: Path) -> Iterator[ReportFile]:
    with _plain_file(path, limit_bytes=STREAMED_BYTES_MAX) as (file, size_bytes):
        yield ReportFile(file, size_bytes)


def compare_reports(
    base: Path,
    head: Path,
    *,
    format_name: str = "",
    diff: Path | None = None,
    tolerance_percent: float | None = None,
) -> Comparison:
    """Compare the report at `head` with an earlier one at `base`. Raises as `read_report`, `read_diff`, `compare`."""
    from shipline.capabilities.evidence.comparison import compare, read_diff  # noqa: PLC0415 - as the readers are

    changed = None if diff is None else read_diff(read_file(diff, limit_bytes=WHOLE_BYTES_MAX))
    reports = [read_report(path, format_name=format_name) for path in (base, head)]
    return compare(*reports, changed=changed, tolerance_percent=tolerance_percent)


def is_comparable(kind: EvidenceKind) -> bool:
    """True for reports that a later release's are compared with."""
    from shipline.capabilities.evidence.comparison import COMPARABLE  # noqa: PLC0415 - as the readers are

    return kind in COMPARABLE


def pack_report(report: Report) -> bytes:
    """A report with its items, compressed, to be compared with later ones."""
    from shipline.capabilities.evidence.comparison import packed  # noqa: PLC0415 - as the readers are

    return packed(report)


def compare_packed(base: Sequence[bytes], head: Sequence[bytes]) -> Comparison:
    """All reports of a kind that a release has, compared with all that the one before it had."""
    from shipline.capabilities.evidence.comparison import compare, merged, unpacked  # noqa: PLC0415 - as above

    return compare(*(merged([unpacked(one) for one in some]) for some in (base, head)))


def verify_bundle(
    path: Path, trusted: Sequence[PublicKey], artifacts: Sequence[Path] = (), log_key: NotePublicKey | None = None
) -> Verification:
    """Check the bundle at `path` against keys that the caller trusts, and files at hand against its artifacts.

    Raises InvalidValue where the file is no bundle at all; whatever else is wrong is in the answer.
    """
    bundle = read_bundle(read_file(path, limit_bytes=ARCHIVE_BYTES_MAX))
    return verify(bundle, trusted, {str(artifact): digest_of_file(artifact) for artifact in artifacts}, log_key)


def is_bundle(path: Path) -> bool:
    """True if the file begins as `make_bundle` begins one: with the first, by name, of the files that are in each."""
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError:
        return False
    name = head[:100].rstrip(b"\0").decode("ascii", "replace")
    return head[257:262] == b"ustar" and (name in (CHECKPOINT, KEY) or name.startswith(("documents/", "envelopes/")))


def read_file(path: Path, *, limit_bytes: int) -> bytes:
    """The bytes of a plain file of at most `limit_bytes`; a device, a pipe or a larger file is refused unread."""
    with _plain_file(path, limit_bytes=limit_bytes) as (file, _):
        return file.read(limit_bytes)


@contextmanager
def _plain_file(path: Path, *, limit_bytes: int) -> Iterator[tuple[BufferedReader, int]]:
    """A plain file, open, and its size in bytes."""
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise InvalidValue(f"{path} is no plain file")
            if status.st_size > limit_bytes:
                raise InvalidValue(f"{path} is larger than {limit_bytes // (1024 * 1024)} MiB")
            yield file, status.st_size
    except OSError as error:
        raise InvalidValue(f"{path} cannot be read", why=error.strerror or str(error)) from None


def _without_waiting(name: str, flags: int) -> int:
    """To open a pipe is to wait for who writes into it, before anybody can see that it is one."""
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def digest_of_file(path: Path) -> str:
    """The `sha256:…` of a plain file of any size; a device or a pipe, which might never end, is refused."""
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InvalidValue(f"{path} is no plain file")
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        raise InvalidValue(f"{path} cannot be read", why=error.strerror or str(error)) from None
