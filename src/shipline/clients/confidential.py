"""Where credentials may be sent: over https, or to this machine. Pure; the one rule for all clients and providers."""

from __future__ import annotations

from urllib.parse import urlsplit

from shipline.domain.errors import ConfigurationError

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
WHY = "credentials go nowhere but over https (or to this machine)"


def is_confidential(url: str) -> bool:
    """True for an https address, and for an http one on this machine; False for what is no address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def check_confidential(url: str, *, name: str, todo: str = "") -> None:
    """ConfigurationError before credentials would be sent in the clear. `name` is the setting that holds the address,
    `todo` another way out than https."""
    if not is_confidential(url):
        raise ConfigurationError(
            f"{name} is an http address of another machine, and credentials belong to it",
            why=WHY,
            todo=f"set {name} to an https address" + (f", or {todo}" if todo else ""),
        )
