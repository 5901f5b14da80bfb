"""The credentials that the container client on this machine holds for a registry."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

from shipline.domain.errors import ShiplineError

CONFIGURATION_BYTES_MAX = 1 << 20


def client_credentials(host: str) -> tuple[str, str] | None:
    """User name and password for `host` (with its port) from `config.json`; None where it holds none.

    A helper that it names is a program, and is not run. ShiplineError where the file cannot be read.
    """
    folder = os.environ.get("DOCKER_CONFIG", "")
    path = (Path(folder) if folder else Path.home() / ".docker") / "config.json"
    try:
        with path.open("rb") as stream:
            entry = json.loads(stream.read(CONFIGURATION_BYTES_MAX))["auths"][host]["auth"]
        user, _, password = base64.b64decode(entry, validate=True).decode().partition(":")
    except (FileNotFoundError, KeyError, TypeError):
        return None
    except (OSError, ValueError, RecursionError):
        raise ShiplineError(f"{path} cannot be read as the container client's configuration") from None
    return user, password
