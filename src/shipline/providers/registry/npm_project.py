"""What the files of a commit say to npm: whatever decides where a package goes, or who gets a token, is refused.

Anybody's pull request may bring an `.npmrc`. npm fills the variables of the environment into it, so that two lines are
enough to send a token to another host; a proxy whose certificates are not looked at is enough, too. So npm is run in a
folder of its own. An `.npmrc` that git tracks is not there, and one that lies in the repository untracked is: the
user, or the CI job, has put it there. Of the manifest in the tarball, npm takes `publishConfig` for configuration.
"""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shipline.clients.git_command import GitCommand, GitFailed
from shipline.domain.errors import ConfigurationError, InvalidValue, RefusedError

NPMRC = ".npmrc"
FILE_BYTES_MAX = 1024 * 1024
MANIFEST = "package.json"
# The package's folder, and the manifest in it.
DEPTH_MAX = 2
# Those of npm's settings that change with whom it speaks, beside `registry` and those of one scope or host.
# From: https://docs.npmjs.com/cli/v11/using-npm/config
CONNECTION = frozenset(
    {
        *("proxy", "https-proxy", "http-proxy", "noproxy", "no-proxy", "strict-ssl", "ca", "cafile", "cert", "key"),
        *("certfile", "keyfile", "local-address", "userconfig", "globalconfig", "scope"),
    }
)
_LINE = re.compile(r"""\s*["']?(@[^\s:"'=]+:registry|registry)["']?\s*=\s*(.*?)\s*""")


def own_npmrc(root: Path) -> bytes | None:
    """The `.npmrc` of the repository's folder, if git does not track it; None for one of the commit, and for none."""
    file = root / NPMRC
    return file.read_bytes() if file.is_file() and not _is_tracked(root) else None


def named_registry(root: Path, package: str) -> str | None:
    """The registry that an `.npmrc` of the commit names for a package, that of its scope first; None where none is."""
    file = root / NPMRC
    if not file.is_file() or not _is_tracked(root):
        return None
    with file.open("rb") as stream:
        text = stream.read(FILE_BYTES_MAX).decode("utf-8", "replace")
    lines = (_LINE.fullmatch(line) for line in text.splitlines())
    named = {line[1]: line[2].strip("\"'") for line in lines if line is not None}
    return named.get(f"{scope_of(package)}:registry", named.get("registry"))


def scope_of(package: str) -> str:
    """`@team` of `@team/quotes`, "" without one."""
    return package.partition("/")[0] if package.startswith("@") else ""


def check_same_registry(where: str, named: str, used: str) -> None:
    """Refuse (ConfigurationError) where a file of the commit names another registry than npm is set to use."""
    if named.rstrip("/") == used.rstrip("/"):
        return
    raise ConfigurationError(
        f"{where} names the registry {_shown(named)}, and npm is set to use {_shown(used)}",
        why="a file of the commit does not decide where a package goes, nor who gets the token",
        todo=f'set registry_url = "{_shown(named)}" (and token_environment) in [[registry]], or let your own npm'
        " configuration name it (`npm config set registry …`)",
    )


def check_manifest(tarball: Path, used: str | None) -> None:
    """Refuse a tarball whose `publishConfig` names another registry (ConfigurationError), or changes with whom npm
    speaks (RefusedError).

    `used` is the registry that it goes to; None where the settings name it, which npm prefers.
    """
    for manifest in _manifests(tarball):
        configured = manifest.get("publishConfig")
        if not isinstance(configured, dict):
            continue
        bad = [key for key in configured if key.lower() in CONNECTION or key.startswith(("@", "//", "_"))]
        if bad:
            raise RefusedError(
                f"publishConfig in the package.json of {tarball.name[:120]} sets {bad[0][:60]!r}",
                why="a file of the commit does not decide with whom npm speaks, nor who gets the token",
                todo="take it out, and set it in your own npm configuration",
            )
        if used is not None and isinstance(configured.get("registry"), str):
            check_same_registry("publishConfig in package.json", configured["registry"], used)


def _manifests(tarball: Path) -> Iterator[dict[str, Any]]:
    """All that npm could take for the package's manifest: the folder's name does not count."""
    try:
        with tarfile.open(tarball, "r:*") as archive:
            for member in archive:
                if _is_manifest(member.name) and member.isfile():
                    if member.size > FILE_BYTES_MAX:
                        raise InvalidValue(f"the package.json in {tarball.name[:120]} is larger than {FILE_BYTES_MAX}")
                    stream = archive.extractfile(member)
                    document = json.loads(stream.read()) if stream is not None else None
                    if isinstance(document, dict):
                        yield document
    except (tarfile.TarError, OSError, EOFError, ValueError, RecursionError):
        raise InvalidValue(f"{tarball.name[:120]!r} is no tarball that npm could publish") from None


def _is_manifest(name: str) -> bool:
    """What npm unpacks to the manifest: it takes the first folder off, and the file system reads the rest, so that
    `package//package.json` is one, too."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    return len(parts) <= DEPTH_MAX and bool(parts) and parts[-1].lower() == MANIFEST


def _is_tracked(root: Path) -> bool:
    """True also where git cannot say. Any case: some file systems hold two names for the same."""
    try:
        names = GitCommand(root).run("look for .npmrc", "ls-files", "-z").split(b"\0")
    except GitFailed:
        return True
    return NPMRC.encode() in (name.lower() for name in names)


def _shown(address: str) -> str:
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()[:200]
