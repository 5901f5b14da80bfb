"""Which forge a project is on, from its remote's address, where `[forge]` does not say it. Pure.

Nothing is asked, and there is no default: an address that names no known kind of forge leaves it to the settings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from shipline.domain.errors import ConfigurationError

SCP_FORM = re.compile(r"(?:[^@/\s]+@)?(?P<host>[A-Za-z0-9.-]+):(?!//)(?P<path>[^\s]+)")
HOSTS = {"github.com": "github", "gitlab.com": "gitlab", "codeberg.org": "gitea", "gitea.com": "gitea"}
# The hosts that serve ssh where port 22 is closed.
SSH_HOSTS = {"ssh.github.com": "github.com", "altssh.gitlab.com": "gitlab.com"}
WORDS = {"github": "github", "gitlab": "gitlab", "gitea": "gitea", "forgejo": "gitea"}
API_PATHS = {"github": "/api/v3", "gitlab": "/api/v4", "gitea": "/api/v1"}
PUBLIC_GITHUB = "github.com"


@dataclass(frozen=True, slots=True)
class Remote:
    """Where a repository is: the forge's web address, its host, and the repository's path there."""

    web: str
    host: str
    path: str


def read_remote(address: str) -> Remote | None:
    """What a remote's address says; None for one that leads to no forge: a path, a bundle, an unknown scheme.

    A user name or token in the address is left out. An ssh port says nothing about the web's.
    """
    scp = SCP_FORM.fullmatch(address)
    if scp is not None and "://" not in address:
        return _remote("https", scp["host"], "", scp["path"])
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https", "ssh", "git+ssh") or not parts.hostname:
        return None
    is_web = parts.scheme in ("http", "https")
    suffix = f":{port}" if is_web and port is not None else ""
    return _remote(parts.scheme if is_web else "https", parts.hostname, suffix, parts.path)


def _remote(scheme: str, host: str, port: str, path: str) -> Remote | None:
    host = host.lower().rstrip(".")
    host = SSH_HOSTS.get(host, host)
    name = path.strip("/").removesuffix(".git").rstrip("/")
    return Remote(f"{scheme}://{host}{port}", host, name) if "/" in name else None


def completed(table: dict[str, Any], address: str) -> dict[str, Any]:
    """`[forge]` with what it leaves unsaid: `provider`, `repository` and `api_url`, from the remote's address.

    What is said stays. ConfigurationError where the provider is neither said nor to be told from the host.
    """
    remote = read_remote(address)
    provider = table.get("provider", "") or _kind_of(remote)
    found: dict[str, Any] = {"provider": provider}
    if remote is not None:
        found["repository"] = remote.path
        if provider in API_PATHS:
            found["api_url"] = api_url_of(str(provider), remote)
    return found | {name: value for name, value in table.items() if value != ""}


def api_url_of(provider: str, remote: Remote) -> str:
    """The API's address by the forge's own rule for its host."""
    if provider == "github" and remote.host == PUBLIC_GITHUB:
        return f"https://api.{PUBLIC_GITHUB}"
    return remote.web + API_PATHS[provider]


def _kind_of(remote: Remote | None) -> str:
    if remote is None:
        raise ConfigurationError(
            "[forge]: provider is not set, and no remote says which forge this is",
            todo='set provider to "github", "gitlab" or "gitea"',
        )
    if remote.host in HOSTS:
        return HOSTS[remote.host]
    for label in remote.host.split("."):
        if label in WORDS:
            return WORDS[label]
    raise ConfigurationError(
        f"[forge]: which kind of forge {remote.host} is cannot be told from its name",
        todo='set provider to "github", "gitlab" or "gitea"',
    )
