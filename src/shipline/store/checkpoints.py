"""Checkpoints: signed statements of a log's size and root (https://c2sp.org/tlog-checkpoint, v1.0.0).

The text has three lines: the log's origin (here the name of the signing key), the size in decimal, the root in base64.
Whoever keeps one elsewhere can tell later whether the log still begins with what it began with then.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from shipline.store.merkle import HASH_SIZE, SIZE_MAX
from shipline.store.notes import InvalidNote, NotePublicKey, NoteSigningKey, open_note

SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The log `origin` has `size` leaves, whose tree has `root` (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def signed(self, key: NoteSigningKey) -> str:
        """The checkpoint as a note signed by `key`."""
        return key.sign(f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n")


def open_checkpoint(note: str, key: NotePublicKey) -> Checkpoint:
    """The checkpoint in a note that `key` has signed, of the log of the key's name. Raises InvalidNote."""
    lines = open_note(note, key).split("\n")
    if len(lines) < 4 or not SIZE.fullmatch(lines[1]) or int(lines[1]) > SIZE_MAX:
        raise InvalidNote("the note is no checkpoint of a log")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except ValueError:
        root = b""
    if len(root) != HASH_SIZE or base64.b64encode(root).decode() != lines[2]:
        raise InvalidNote("the checkpoint's root is no SHA-256 hash in base64")
    if lines[0] != key.name:
        raise InvalidNote(f"the checkpoint is of another log: {lines[0][:80]!r}")
    return Checkpoint(origin=lines[0], size=int(lines[1]), root=root)
