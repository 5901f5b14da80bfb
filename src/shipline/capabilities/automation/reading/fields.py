"""A JSON object of somebody else's, asked by path: what is missing, or of another type, is empty. Pure.

Forges add fields, leave some out, and send null where an object was. Whoever asks says what cannot be done without.
"""

from __future__ import annotations

import re

from shipline.domain.codec import JSON
from shipline.domain.errors import InvalidValue

NAME_MAX = 250
TITLE_MAX = 500
TEXT_MAX = 65_536  # Of a comment: GitHub's own limit; the others have larger ones.
LIST_MAX = 100
COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
HEADS, TAGS = "refs/heads/", "refs/tags/"


class Fields:
    """An object and what is below it."""

    __slots__ = ("value",)

    def __init__(self, value: JSON) -> None:
        self.value = value

    def at(self, *path: str) -> Fields:
        """What is there; nothing where the path leads nowhere."""
        value = self.value
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return Fields(value)

    def has(self, *path: str) -> bool:
        """True if something is there that is not null."""
        return self.at(*path).value is not None

    def text(self, *path: str, most: int = NAME_MAX) -> str:
        """Text, cut to `most` characters; "" where there is none. Without what no database takes: NUL, and halves of
        characters, which JSON can name. One delivery with such a text would keep all others of its batch waiting."""
        value = self.at(*path).value
        return value[:most].encode("utf-8", "replace").decode().replace("\0", "") if isinstance(value, str) else ""

    def number(self, *path: str) -> int:
        """A whole number that is not negative; 0 where there is none."""
        value = self.at(*path).value
        return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else 0

    def yes(self, *path: str) -> bool:
        """True only for `true`."""
        return self.at(*path).value is True

    def items(self, *path: str) -> tuple[Fields, ...]:
        """The first LIST_MAX of a list."""
        value = self.at(*path).value
        return tuple(Fields(item) for item in value[:LIST_MAX]) if isinstance(value, list) else ()

    def length(self, *path: str) -> int:
        """How long a list is; 0 where there is none."""
        value = self.at(*path).value
        return len(value) if isinstance(value, list) else 0

    def commit(self, *path: str) -> str:
        """A commit's id; "" where there is none, and for the one of zeros, by which forges say that."""
        value = self.text(*path)
        return value if COMMIT.fullmatch(value) and value.strip("0") else ""

    def needed(self, *path: str) -> str:
        """Text that the event cannot be understood without. InvalidValue where there is none."""
        value = self.text(*path)
        if not value:
            raise InvalidValue(f"it lacks {'.'.join(path)}")
        return value

    def needed_number(self, *path: str) -> int:
        """A number from 1 that the event cannot be understood without. InvalidValue where there is none."""
        value = self.number(*path)
        if value == 0:
            raise InvalidValue(f"it lacks {'.'.join(path)}")
        return value

    def titles(self, *path: str, key: str) -> tuple[str, ...]:
        """The names of a list of objects, by `key`."""
        names = (item.text(key) for item in self.items(*path))
        return tuple(name for name in names if name)
