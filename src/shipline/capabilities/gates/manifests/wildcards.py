"""`*` and `?` in names, in time that grows with the length of the text, not with the number of stars."""

from __future__ import annotations


def has_wildcard(text: str) -> bool:
    """Whether it stands for more than itself."""
    return "*" in text or "?" in text


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text is of the pattern: `*` is any run of characters, `?` any one of them."""
    at = place = 0
    star, tried = -1, 0
    while at < len(text):
        if place < len(pattern) and pattern[place] == "*":
            star, tried, place = place, at, place + 1
        elif place < len(pattern) and pattern[place] in ("?", text[at]):
            at, place = at + 1, place + 1
        elif star >= 0:
            tried += 1
            at, place = tried, star + 1
        else:
            return False
    return all(each == "*" for each in pattern[place:])
