"""A report's file, read in pieces: its first bytes, all of them, or the elements of a JSON document one by one.

JSON is streamed by ijson (BSD-3-Clause, on the C library yajl; nothing comes with it), within the bounds of
`bounds.py`: memory holds an element at a time. Paths are ijson's: names joined by dots, `item` for the elements of a
list, so `runs.item.results.item`.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any, BinaryIO, Literal

from shipline.capabilities.evidence.reports.bounds import ELEMENT_BYTES_MAX, ELEMENT_VALUES_MAX, Bounds
from shipline.domain.codec import JSON
from shipline.domain.errors import InvalidValue
from shipline.domain.strict_json import read_json

CHUNK_BYTES = 512 * 1024
"""Not less: a text that goes over several pieces is scanned anew with each of them by yajl."""
HEAD_BYTES = 64 * 1024
LINE_BYTES_MAX = 1024 * 1024
WHOLE_BYTES_MAX = 64 * 1024 * 1024
"""The largest report of a format that is read whole."""
STREAMED_BYTES_MAX = 512 * 1024 * 1024
"""The largest report of a format that is streamed, and of any."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class ReportFile:
    """A report that can be read from its start as often as is needed. The file stays the caller's to close."""

    def __init__(self, file: BinaryIO, size_bytes: int) -> None:
        self._file = file
        self.size_bytes = size_bytes

    @classmethod
    def of(cls, data: bytes) -> ReportFile:
        """A report that is in memory already."""
        return cls(io.BytesIO(data), len(data))

    def head(self) -> bytes:
        """The first bytes, by which formats of text are told apart."""
        self._file.seek(0)
        return self._file.read(HEAD_BYTES)

    def chunks(self) -> Iterator[bytes]:
        """All bytes, in pieces, from the start. Several may be under way at once."""
        offset = 0
        while True:
            self._file.seek(offset)
            chunk = self._file.read(CHUNK_BYTES)
            if not chunk:
                return
            offset += len(chunk)
            yield chunk

    def lines(self) -> Iterator[str]:
        """The lines of a text, without blank ones and what ends them. Raises InvalidValue where it is not UTF-8, or
        one is longer than LINE_BYTES_MAX."""
        held = b""
        for chunk in chain(self.chunks(), (b"\n",)):
            *ended, held = (held + chunk).split(b"\n")
            if len(held) > LINE_BYTES_MAX or any(len(line) > LINE_BYTES_MAX for line in ended):
                raise InvalidValue(f"the report has a line of more than {LINE_BYTES_MAX} bytes")
            for line in ended:
                text = _decoded(line).strip("\r\n\ufeff")
                if text.strip():
                    yield text

    def value(self, path: str) -> Any:
        """The value at `path`, None where there is none. Looks no further than it."""
        return next((value for _, value in self.pieces([path])), None)

    def require(self, *paths: str, of: Literal["list", "object"] = "list") -> None:
        """See to it that a list or an object stands at one of `paths` (`""` for the document itself): what is absent is
        not the same as empty. Raises InvalidValue."""
        wanted = "start_array" if of == "list" else "start_map"
        if not any(event == wanted and path in paths for path, event, _ in self.events()):
            raise InvalidValue(
                "the report is not of the format that it was taken for",
                why=f"it has no {of} {' or '.join(map(repr, paths))}" if any(paths) else f"it is no {of}",
                todo="see whether the tool that wrote it failed, and name the format with --format if it was guessed",
            )

    def labels(self, start: str, names: Collection[str]) -> list[dict[str, Any]]:
        """Of each element at `start`, in order, those of the named values that it has; for what stands beside a list
        and may come after it."""
        paths = {f"{start}.{name}" if start else name: name for name in names}
        found: list[dict[str, Any]] = []
        for path, value in self.pieces(paths, [start]):
            if path == start:
                found.append({})
            else:
                found[-1][paths[path]] = value
        return found

    def whole(self) -> bytes:
        """All bytes at once. Raises InvalidValue for more than WHOLE_BYTES_MAX."""
        if self.size_bytes > WHOLE_BYTES_MAX:
            raise InvalidValue(f"the report is larger than {WHOLE_BYTES_MAX // (1024 * 1024)} MiB")
        self._file.seek(0)
        return self._file.read(WHOLE_BYTES_MAX)

    def document(self) -> JSON:
        """The JSON document at once, read strictly. Raises InvalidValue as `whole` and `read_json` do, and for half of
        a character, which JSON can name and no text can hold."""
        data = self.whole()
        found = read_json(data, what="the report", limit_bytes=WHOLE_BYTES_MAX)
        if _SURROGATE.search(data) is not None:
            try:
                json.dumps(found, ensure_ascii=False).encode("utf-8")
            except UnicodeEncodeError:
                raise InvalidValue("a text in the report holds half of a character") from None
        return found

    def items(self, path: str) -> Iterator[Any]:
        """The values at `path`, in C all the way: the fastest."""
        ijson = _ijson()
        pieces = _Pieces(self.chunks(), Bounds("the report", path.count(".") + 1))
        with _in_words():
            yield from ijson.items(pieces, path, use_float=True, buf_size=CHUNK_BYTES)

    def members(self, path: str) -> Iterator[tuple[str, Any]]:
        """The names and values of the object at `path` (`""` for the document), one by one."""
        ijson = _ijson()
        depth = path.count(".") + 2 if path else 1
        pieces = _Pieces(self.chunks(), Bounds("the report", depth))
        with _in_words():
            yield from ijson.kvitems(pieces, path, use_float=True, buf_size=CHUNK_BYTES)

    def pieces(
        self, paths: Collection[str], starts: Collection[str] = (), *, lists: Collection[str] = ()
    ) -> Iterator[tuple[str, Any]]:
        """The values at several `paths` in one pass, in the document's order, each as (path, value).

        Where a container at one of `starts` begins, (path, None) is given: so it can be known which run, say, a
        result belongs to. Three times as slow as `items`. A value inside of another one is not given by itself. Raises
        InvalidValue where something else stands than the lists whose elements are asked for, or than `lists`.
        """
        lists = {*lists, *(path.removesuffix(".item") for path in (*paths, *starts) if path.endswith(".item"))}
        wanted = {*paths, *starts, *lists}
        builder: _Piece | None = None
        with _in_words():
            for path, event, value in self._parsed(several=False):
                if builder is not None:
                    if builder.add(event, value):
                        yield path, builder.value
                        builder = None
                elif path not in wanted or event in ("map_key", "end_map", "end_array"):
                    continue
                elif path in lists and event not in ("start_array", "null"):
                    raise InvalidValue(f"{path!r} in the report is no list")
                elif path in starts and event in ("start_map", "start_array"):
                    yield path, None
                elif path in paths and event in ("start_map", "start_array"):
                    builder = _Piece()
                    builder.add(event, value)
                elif path in paths:
                    yield path, value

    def events(self, *, several: bool = False) -> Iterator[tuple[str, str, Any]]:
        """Events as ijson gives them: (path, event, value). `several`: one document may follow the other."""
        with _in_words():
            yield from self._parsed(several=several)

    def _parsed(self, *, several: bool) -> Iterator[tuple[str, str, Any]]:
        pieces = _Pieces(self.chunks(), Bounds("the report"))
        parsed: Iterator[tuple[str, str, Any]] = _ijson().parse(
            pieces, use_float=True, buf_size=CHUNK_BYTES, multiple_values=several
        )
        return parsed


class _Pieces:
    """What ijson reads from: pieces that were looked at before."""

    def __init__(self, chunks: Iterator[bytes], bounds: Bounds) -> None:
        self._chunks = chunks
        self._bounds = bounds
        self._is_first = True

    def read(self, size: int) -> bytes:
        """The next piece, b"" at the end. ijson asks for nothing (size 0) to learn that bytes come."""
        if size == 0:
            return b""
        chunk = next(self._chunks, b"")
        if self._is_first:
            self._is_first = False
            # Never empty where the file is not: that would be its end.
            chunk = chunk.removeprefix(_BYTE_ORDER_MARK) or next(self._chunks, b"")
        self._bounds.feed(chunk)
        return chunk


class _Piece:
    """One value, put together from events."""

    def __init__(self) -> None:
        self._builder = _ijson().common.ObjectBuilder()
        self._depth = 0
        self._values = 0
        self._characters = 0

    def add(self, event: str, value: Any) -> bool:
        """Take the next event; True when the value is whole."""
        self._builder.event(event, value)
        if event in ("start_map", "start_array"):
            self._depth += 1
        elif event in ("end_map", "end_array"):
            self._depth -= 1
        self._values += 1
        if isinstance(value, str):
            self._characters += len(value)
        if self._values > 2 * ELEMENT_VALUES_MAX or self._characters > ELEMENT_BYTES_MAX:
            raise InvalidValue(f"the report has a single element of more than {ELEMENT_VALUES_MAX} values")
        return self._depth == 0

    @property
    def value(self) -> Any:
        return self._builder.value


def _decoded(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidValue("the report is not UTF-8 text") from None


def _ijson() -> Any:
    import ijson  # type: ignore[import-untyped]  # noqa: PLC0415 - no types; and only who reads a report pays its 40 ms
    import ijson.common  # type: ignore[import-untyped]  # noqa: PLC0415 - the same

    return ijson


@contextmanager
def _in_words() -> Iterator[None]:
    """Turn what the parser says into words for people."""
    try:
        yield
    except (_ijson().JSONError, ValueError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise InvalidValue(
            "the report is not JSON, or is cut off",
            why=_printable(lines[0] if lines else type(error).__name__),
            todo="see whether the tool that wrote it was stopped before its end, and run it again",
        ) from None


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text[:200])
