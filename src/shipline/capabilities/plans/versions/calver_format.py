"""The formats of calendar versions: `YYYY.0M.MICRO`, `YY.MINOR.MICRO`, `YYYY0M0D`, `YY.0M[.MICRO]` ...

Source: https://calver.org/#scheme, which names the tokens, and leaves open how they may follow each other. Here a
format must give versions that only ever go up: so a month or week stands behind its year, a day behind its month, and
the modifier (`-rc.1`) at the end. Beyond calver.org, a last counter in brackets is left out while it is 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from shipline.domain.errors import InvalidValue

FORMAT_LENGTH_MAX = 60
EPOCH_YEAR = 2000  # Short years count from it: 6, 16, 106.
# Token -> what a version may have there. The padded ones are of fixed width, so that they may stand side by side.
TOKENS = {
    "YYYY": r"[1-9]\d{3}",
    "0Y": r"\d{2}|[1-9]\d{2}",
    "YY": r"0|[1-9]\d{0,2}",
    "0M": r"0[1-9]|1[0-2]",
    "MM": r"[1-9]|1[0-2]",
    "0W": r"0[1-9]|[1-4]\d|5[0-3]",
    "WW": r"[1-9]|[1-4]\d|5[0-3]",
    "0D": r"0[1-9]|[12]\d|3[01]",
    "DD": r"[1-9]|[12]\d|3[01]",
    "MAJOR": r"0|[1-9]\d{0,17}",
    "MINOR": r"0|[1-9]\d{0,17}",
    "MICRO": r"0|[1-9]\d{0,17}",
}
COUNTERS = ("MAJOR", "MINOR", "MICRO")
FIXED = frozenset({"YYYY", "0M", "0W", "0D"})
PIECE = re.compile(r"(YYYY|YY|0Y|MM|0M|WW|0W|DD|0D|MAJOR|MINOR|MICRO|MODIFIER)|([.\-_])|(\[)|(\])", re.ASCII)
# Which kind of token each may stand behind, at any distance.
NEEDS = {"month": "year", "week": "year", "day": "month"}


@dataclass(frozen=True, slots=True)
class Format:
    """A format, taken apart. `separators[i]` stands before `tokens[i]`.

    `optional` is true where the last token is left out while it is 0. `modifier_separator` stands before a modifier.
    """

    text: str
    tokens: tuple[str, ...]
    separators: tuple[str, ...]
    optional: bool = False
    modifier_separator: str = "-"

    @property
    def has_week(self) -> bool:
        """True where the year is that of the week (ISO 8601)."""
        return any(kind_of(token) == "week" for token in self.tokens)


def kind_of(token: str) -> str:
    """`year`, `month`, `week`, `day` or `counter`."""
    return "counter" if token in COUNTERS else {"Y": "year", "M": "month", "W": "week", "D": "day"}[token[-1]]


@lru_cache(maxsize=64)
def read_format(text: str) -> Format:
    """The format that `text` writes. InvalidValue, saying what is wrong, for one that is none."""
    if not 0 < len(text) <= FORMAT_LENGTH_MAX:
        raise InvalidValue(f"a CalVer format has 1 to {FORMAT_LENGTH_MAX} characters")
    tokens: list[str] = []
    separators: list[str] = []
    pending, bracket, modifier = "", "", ""
    place = 0
    while place < len(text):
        match = PIECE.match(text, place)
        name, separator, opening, closing = match.groups() if match else (None,) * 4
        if match is None or modifier or bracket == "]" or (separator and pending) or (opening and pending):
            raise _refused(text, f"{text[place:][:20]!r} cannot stand there")
        if name == "MODIFIER":
            modifier = pending or "none"
        elif name:
            tokens.append(name)
            separators.append(pending)
        bracket = opening or closing or bracket
        pending = separator or ""
        place = match.end()
    made = Format(text, tuple(tokens), tuple(separators), bool(bracket), {"": "-", "none": ""}.get(modifier, modifier))
    _check(made, is_whole=not pending and bracket != "[" and not (bracket and modifier))
    return made


def _check(made: Format, *, is_whole: bool) -> None:
    kinds = [kind_of(token) for token in made.tokens]
    names = [token if kind == "counter" else kind for token, kind in zip(made.tokens, kinds, strict=True)]
    if not is_whole or not made.tokens or made.separators[0]:
        raise _refused(made.text, "it is not whole")
    if "year" not in kinds:
        raise _refused(made.text, "it has no year")
    if len(set(names)) < len(names):
        raise _refused(made.text, "a token stands twice")
    if "week" in kinds and "month" in kinds:
        raise _refused(made.text, "weeks and months do not go together: a week may lie in two months")
    for kind, needed in NEEDS.items():
        if kind in kinds and needed not in kinds[: kinds.index(kind)]:
            raise _refused(made.text, f"a {kind} needs a {needed} before it")
    for left, right, separator in zip(made.tokens, made.tokens[1:], made.separators[1:], strict=False):
        if not separator and not {left, right} <= FIXED:
            raise _refused(made.text, f"{left} and {right} need a separator between them")
    if made.optional and (kinds[-1] != "counter" or f"[{made.separators[-1]}{made.tokens[-1]}]" not in made.text):
        raise _refused(made.text, "only the last counter, with its separator, may stand in brackets")


def _refused(text: str, why: str) -> InvalidValue:
    known = ", ".join([*TOKENS, "MODIFIER"])
    return InvalidValue(
        f"{text[:FORMAT_LENGTH_MAX]!r} is no CalVer format: {why}",
        todo=f"write one such as YYYY.0M.MICRO; the tokens are {known}, with . - or _ between them",
    )
