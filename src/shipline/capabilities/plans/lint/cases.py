"""The cases that a type, a scope, a subject or a body may be written in, under commitlint's names. Pure.

A text is in a case if turning it into that case changes nothing; what stands in quotes does not count, since it may be
a proper name. From: @commitlint/ensure 20, which splits words as lodash 4 does.
"""

from __future__ import annotations

CASES = (
    "lower-case",
    "upper-case",
    "sentence-case",
    "camel-case",
    "kebab-case",
    "pascal-case",
    "snake-case",
    "start-case",
)
# Other spellings that commitlint takes.
SPELLINGS = {"lowercase": "lower-case", "lowerCase": "lower-case", "uppercase": "upper-case"} | {
    "sentencecase": "sentence-case"
}
QUOTES = "`\"'"
DIGITS = frozenset("0123456789") | {""}  # With the text that is empty, of which nothing begins.
CAPITAL_FIRST = frozenset({"pascal-case", "start-case"})


def is_in_case(text: str, case: str) -> bool:
    """True where `text` is written in `case`, one of CASES; also where nothing is left to be written in any."""
    bare = unquoted(text).strip()
    if bare[:1] in DIGITS:
        return True
    if case == "lower-case":
        return bare.lower() == bare
    if case == "upper-case":
        return bare.upper() == bare
    if case == "sentence-case":
        return capitalised(bare) == bare
    if case in CAPITAL_FIRST and bare[:1].islower():
        return False  # Told without looking for words, as for nearly every subject there is.
    turned = _turned(bare, case)
    return turned[:1] in DIGITS or turned == bare


def capitalised(text: str) -> str:
    """The text with its first letter as a capital."""
    return text[:1].upper() + text[1:]


def unquoted(text: str) -> str:
    """A text without what stands in quotes on one line, and without the quotes."""
    if not any(quote in text for quote in QUOTES):
        return text
    kept: list[str] = []
    at = 0
    while at < len(text):
        start = min((found for quote in QUOTES if (found := text.find(quote, at)) >= 0), default=len(text))
        kept.append(text[at:start])
        end = text.find(text[start], start + 1) if start < len(text) else -1
        if end >= 0 and "\n" not in text[start:end]:
            at = end + 1
        else:
            kept.append(text[start : start + 1])
            at = start + 1
    return "".join(kept)


def _turned(text: str, case: str) -> str:
    words = _words(text)
    if case == "start-case":
        return " ".join(capitalised(word) for word in words)
    low = [word.lower() for word in words]
    if case in {"kebab-case", "snake-case"}:
        return ("-" if case == "kebab-case" else "_").join(low)
    joined = "".join([*low[:1], *(capitalised(word) for word in low[1:])])
    return capitalised(joined) if case == "pascal-case" else joined


def _words(text: str) -> list[str]:
    """The words of a text: at spaces, punctuation, capitals and digits, with accents taken off."""
    import re  # noqa: PLC0415 - it costs more than judging by all other rules together
    import unicodedata  # noqa: PLC0415 - the same

    bare = "".join(
        each
        for each in unicodedata.normalize("NFD", text.replace("'", "").replace("\u2019", ""))
        if not unicodedata.combining(each)
    )
    other = r"[^\W\d_A-Za-z]"
    return re.findall(
        r"\d*(?:1st|2nd|3rd|(?![123])\dth)(?=\b|[A-Z_])|\d*(?:1ST|2ND|3RD|(?![123])\dTH)(?=\b|[a-z_])|"
        rf"[A-Z]?(?:[a-z]|{other})+|[A-Z]+(?=[A-Z][a-z])|[A-Z]+|\d+",
        bare,
    )
