"""Lines that pin a dependency: found, edited and nothing else, or refused."""

from __future__ import annotations

import pytest

from shipline.capabilities.version_files import is_pinning, pinned, required_ranges, write_pinned
from shipline.domain.errors import InvalidValue, ShiplineError

REQUIREMENTS = b"""# requests==1.0
Requests[socks] == 2.31.0 ; python_version > "3.8"  # why
requests_mock==1.0
-r other.txt
requests>=2,<3
requests
"""
GO = b"""module acme/quotes

require golang.org/x/net v0.1.0
require (
\tgolang.org/x/crypto v0.17.0 // indirect
\tgolang.org/x/crypto/ssh v9.9.9
)
exclude golang.org/x/crypto v0.17.0
"""
DOCKER = b"""FROM --platform=linux/amd64 docker.io/library/alpine:3.18 AS base
FROM alpine:3.18@sha256:%s
FROM acme/alpine:3.18
COPY --from=alpine:3.18 a b
""" % (b"a" * 64)


@pytest.mark.parametrize(
    ("path", "content", "name", "found", "new", "expected"),
    [
        ("requirements.txt", REQUIREMENTS, "requests", ("== 2.31.0", ">=2,<3"), "==2.32.4", b"[socks] ==2.32.4 ; py"),
        ("requirements/dev.txt", b"a==1\r\nb==2\r\n", "A", ("==1",), "==3", b"a==3\r\nb==2\r\n"),
        ("go.mod", GO, "golang.org/x/crypto", ("v0.17.0",), "v0.31.0", b"crypto v0.31.0 // indirect"),
        ("go.mod", GO, "golang.org/x/net", ("v0.1.0",), "v0.2.0", b"require golang.org/x/net v0.2.0"),
        ("Dockerfile", DOCKER, "library/alpine", ("3.18", f"sha256:{'a' * 64}"), "3.21", b"library/alpine:3.21 AS"),
    ],
)
def test_a_pin_is_edited_where_it_stands(  # noqa: PLR0913, PLR0917 - as above
    path: str, content: bytes, name: str, found: tuple[str, ...], new: str, expected: bytes
) -> None:
    """Of other names, and in other places, nothing changes."""
    assert is_pinning(path)
    assert pinned(path, content, name) == found
    edited = write_pinned(path, content, name, new, before=found[0])
    assert expected in edited
    assert edited.replace(new.encode(), found[0].encode(), 1) == content


@pytest.mark.parametrize(
    ("path", "content", "name"),
    [
        ("requirements.txt", b"requests==1 --hash=sha256:00\n", "requests"),
        ("requirements.txt", b"requests==1 \\\n  --hash=sha256:00\n", "requests"),
        ("requirements.txt", b"requests @ https://example.com/x.whl\n", "requests"),
        ("go.mod", b"require a/b v1.0.0\nreplace a/b => ../b\n", "a/b"),
        ("go.mod", b"replace (\n\ta/b v1.0.0 => c/d v1.0.0\n)\n", "a/b"),
        ("Dockerfile", b"FROM alpine\n", "alpine"),
    ],
)
def test_what_cannot_be_edited_is_refused(path: str, content: bytes, name: str) -> None:
    with pytest.raises(ShiplineError):
        pinned(path, content, name)


def test_a_version_cannot_bring_anything_else_into_a_file() -> None:
    with pytest.raises(InvalidValue):
        write_pinned("requirements.txt", b"a==1\n", "a", "==2\nevil==1", before="==1")
    with pytest.raises(InvalidValue):
        pinned("setup.py", b"", "a")
    assert pinned("requirements.txt", b"\xff==1\na" + b" " * 100_000 + b"x\n", "b") == ()


def test_ranges_of_manifests_are_read() -> None:
    manifest = b'[project]\ndependencies = ["requests>=2", "requests>=2; extra", "requests"]\n'
    assert required_ranges("api/pyproject.toml", manifest, "Requests") == (">=2",)
    assert required_ranges("package.json", b'{"dependencies":{"a":"^1"},"devDependencies":{"a":"~1"}}', "a") == (
        "^1",
        "~1",
    )
    with pytest.raises(InvalidValue):
        required_ranges("pom.xml", b"", "a")
