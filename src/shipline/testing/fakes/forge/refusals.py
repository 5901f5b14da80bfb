"""How the model of a forge says no."""

from __future__ import annotations


class Refused(Exception):
    """The forge says no. `kind` is what the dialects answer by: duplicate, missing, invalid or forbidden."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(words)
        self.kind = kind
