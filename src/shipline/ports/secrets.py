"""The Secrets port: where secrets are kept, asked for one at a time by a key."""

from __future__ import annotations

from typing import Protocol

API_VERSION = 1
KEY_CHARACTERS_MAX = 500


class Secrets(Protocol):
    """Reads secrets. It keeps none, writes none to disk, and no error of it holds one."""

    api_version: int

    def read(self, key: str) -> str:
        """The secret under `key` (1 to KEY_CHARACTERS_MAX characters of one line) as it is now: text that an
        environment variable can hold, never empty, without the end of its last line.

        Takes 10 seconds at most, or what its settings say. ConfigurationError where it is not there or cannot be a
        variable, RefusedError where others can read it as well, UnavailableError where the same may succeed later;
        each with what to do.
        """
        ...
