"""Lines that pin what is depended on: pip's files of requirements, go.mod, and the images that Dockerfiles begin with.

From: https://pip.pypa.io/en/stable/reference/requirements-file-format/, https://go.dev/ref/mod#go-mod-file-require and
https://docs.docker.com/reference/dockerfile/#from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from shipline.capabilities.version_files.spans import Span, lines_of, replaced
from shipline.domain.errors import InvalidValue, ShiplineError

BYTES_MAX = 4 << 20
_NAME = re.compile(rb"[ \t]*([A-Za-z0-9][A-Za-z0-9._-]{0,200})[ \t]*(?:\[[^\]]{0,400}\])?[ \t]*")
_RANGE = re.compile(rb"(?:===?|[~!<>]=|[<>])[0-9A-Za-z.*+!_,<>=~ \t-]{0,300}")
_MODULE = re.compile(
    rb"[ \t]*(require[ \t]+)?\"?([^\s\"()]{1,400})\"?[ \t]+(v[0-9][0-9A-Za-z.+-]{0,100})[ \t]*(?://.*)?\Z"
)
_BLOCK = re.compile(rb"[ \t]*([a-z]{1,20})[ \t]*\([ \t]*(?://.*)?\Z")
_FROM = re.compile(rb"[ \t]*FROM[ \t]+(?:--platform=\S{1,100}[ \t]+)?([^\s$]{1,500})(?:[ \t]|\Z)", re.IGNORECASE)
_NEW = re.compile(r"[0-9A-Za-z~^<>=!*][0-9A-Za-z~^<>=!*.,:+_ -]{0,199}")


def _requirements(data: bytes, dependency: str) -> Iterator[Span]:
    """Ranges of pip's requirements. One that goes on in the next line, or has hashes, is locked, and an error."""
    wanted, goes_on = _normal(dependency.encode("utf-8", "replace")), False
    for offset, line in lines_of(data):
        began, goes_on = goes_on, line.endswith(b"\\")
        found = None if began else _NAME.match(line)
        if found is None or _normal(found[1]) != wanted:
            continue
        if goes_on or b"--hash" in line:
            raise ValueError("it is locked there with hashes")
        rest = re.split(rb"[ \t]#|;", line[found.end() :], maxsplit=1)[0].rstrip()
        if rest and not _RANGE.fullmatch(rest):
            raise ValueError("it is not required there by a plain range")
        if rest:
            yield _span(offset + found.end(), rest)


def _normal(name: bytes) -> bytes:
    return re.sub(rb"[-_.]+", b"-", name).lower()


def _modules(data: bytes, dependency: str) -> Iterator[Span]:
    """Versions that go.mod requires of a module; one that it replaces is an error."""
    wanted, block = dependency.encode("utf-8", "replace"), b""
    for offset, line in lines_of(data):
        opened = _BLOCK.match(line)
        if opened is not None:
            block = opened[1]
            continue
        if line.strip().startswith(b")"):
            block = b""
            continue
        words = line.split()
        replaces = block == b"replace" or words[:1] == [b"replace"]
        if replaces and wanted in words[: words.index(b"=>") if b"=>" in words else len(words)]:
            raise ValueError("the module is replaced there")
        found = _MODULE.match(line)
        if found is not None and found[2] == wanted and (block == b"require" or found[1]):
            yield _span(offset + found.start(3), found[3])


def _images(data: bytes, dependency: str) -> Iterator[Span]:
    """Digests, or tags where there is none, of the images that stages begin with."""
    for offset, line in lines_of(data):
        found = _FROM.match(line)
        if found is None:
            continue
        reference = found[1].decode("utf-8", "replace")
        rest, at, digest = reference.partition("@")
        folder, slash, last = rest.rpartition("/")
        name, colon, tag = last.partition(":")
        if _image(f"{folder}{slash}{name}") != _image(dependency):
            continue
        text = digest if at else tag
        if text:
            yield _span(offset + found.start(1) + len(reference) - len(text), text.encode())
        elif not (at or colon):
            raise ValueError("the image has neither a tag nor a digest there")


def _image(name: str) -> str:
    """The name that Docker gives it where a person leaves registry and folder out."""
    return name.removeprefix("docker.io/").removeprefix("library/")


def _span(start: int, text: bytes) -> Span:
    return Span(start, start + len(text), text.decode("ascii"))


_KINDS: tuple[tuple[tuple[str, ...], Callable[[bytes, str], Iterator[Span]]], ...] = (
    (("*requirements*.txt", "constraints*.txt"), _requirements),
    (("go.mod",), _modules),
    (("Dockerfile", "Containerfile", "*.Dockerfile"), _images),
)


def _finder(path: str) -> Callable[[bytes, str], Iterator[Span]] | None:
    name, folder = PurePosixPath(path).name, PurePosixPath(path).parent.name
    for patterns, finder in _KINDS:
        if any(fnmatchcase(name, pattern) for pattern in patterns):
            return finder
    return _requirements if folder == "requirements" and name.endswith(".txt") else None


def is_pinning(path: str) -> bool:
    """True for a file whose lines pin what is depended on."""
    return _finder(path) is not None


def pinned(path: str, content: bytes, dependency: str) -> tuple[str, ...]:
    """What it pins the dependency to, each once. ShiplineError where it does so in a form that is not edited."""
    return tuple(dict.fromkeys(span.text for span in _found(path, content, dependency)))


def write_pinned(path: str, content: bytes, dependency: str, new: str, *, before: str) -> bytes:
    """`content` with `new` wherever it pins the dependency to `before`, and every other byte as it was."""
    if not _NEW.fullmatch(new):
        raise InvalidValue(f"{new[:80]!r} cannot be written as a version")
    found = _found(path, content, dependency)
    edited = replaced(content, [span for span in found if span.text == before], new)
    again = [span.text for span in _found(path, edited, dependency)]
    if again != [new if span.text == before else span.text for span in found]:
        raise ShiplineError(f"{path} cannot be edited safely", why=f"read again, it does not pin {dependency[:80]} so")
    return edited


def _found(path: str, content: bytes, dependency: str) -> tuple[Span, ...]:
    finder = _finder(path)
    if finder is None:
        raise InvalidValue(f"{path}: nothing is pinned there")
    if len(content) > BYTES_MAX:
        raise ShiplineError(f"{path} is larger than {BYTES_MAX >> 20} MiB")
    try:
        return tuple(finder(content, dependency))
    except ValueError as error:
        raise ShiplineError(f"{path}: {error}") from None
