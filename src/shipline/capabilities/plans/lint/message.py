"""A commit message in the parts that commitlint's rules speak of. Pure; any text is read.

The grammar is the one that commitlint's conventional preset has, so that its rules mean here what they mean there.
From: conventional-changelog-conventionalcommits 9 (header) and conventional-commits-parser 6 (body and footer). What a
message means for a release is read by `plans.conventional`, which is wider.
"""

from __future__ import annotations

WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
NOTES = ("breaking change", "breaking-change")
ACTIONS = ("closes", "closed", "close", "fixes", "fixed", "fix", "resolves", "resolved", "resolve")
AFTER_NUMBER = frozenset(",;)]")
URL_PUNCTUATION = frozenset("-@:%+.~#?&//=")


class Message:
    """A message, read.

    `header` is its first line. `type`, `scope` and `subject` are "" where they are missing. `breaking` tells of an
    exclamation mark before the colon. `body` and `footer` are without the blank lines around them; a footer begins
    with the first line that names a breaking change or an issue, and goes on to the end. `footer_line` is its index in
    `lines`, 0 for none.
    """

    __slots__ = (
        "body",
        "breaking",
        "footer",
        "footer_line",
        "header",
        "lines",
        "scope",
        "subject",
        "type",
    )

    def __init__(self, text: str) -> None:
        self.lines = text.strip("\n").split("\n")
        self.header = self.lines[0]
        self.type, self.scope, self.breaking, self.subject = read_header(self.header)
        self.footer_line = footer_line(text, self.lines)
        self.body = "\n".join(self.lines[1 : self.footer_line or None]).strip("\n")
        self.footer = "\n".join(self.lines[self.footer_line :]).rstrip("\n") if self.footer_line else ""

    @property
    def has_references(self) -> bool:
        """True where an issue is named in header or footer."""
        return any(has_reference(line) for line in (self.header, *self.footer.split("\n")) if "#" in line)


def plain(raw: str) -> str:
    """A text with the line ends of git, and without NUL, which git takes in no message."""
    text = raw.replace("\0", "") if "\0" in raw else raw
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def read_header(header: str) -> tuple[str, str, bool, str]:
    """Type, scope, whether there is an exclamation mark, and subject; all empty where the header has not this form."""
    length = 0
    while length < len(header) and header[length] in WORD:
        length += 1
    kind, rest = header[:length], header[length:]
    if not rest.startswith("("):
        for colon in ("!: ", ": "):
            if rest.startswith(colon):
                return kind, "", colon == "!: ", rest[len(colon) :]
        return "", "", False, ""
    for colon in (")!: ", "): "):
        # A scope reaches as far as it can: `feat(a): b(c): d` has the scope `a): b(c`.
        end = rest.rfind(colon)
        if end > 0:
            return kind, rest[1:end], colon == ")!: ", rest[end + len(colon) :]
    return "", "", False, ""


def footer_line(text: str, lines: list[str]) -> int:
    """The index of the line that begins the footer, 0 for none. `lines` are those of `text`."""
    noted = "breaking" in text.lower()
    if not noted and "#" not in text:
        return 0
    for index in range(1, len(lines)):
        line = lines[index]
        if ("#" in line and has_reference(line)) or (noted and is_note(line)):
            return index
    return 0


def is_note(line: str) -> bool:
    """True for a line that begins the note about a breaking change, also indented, or in a list."""
    start = line.lstrip(" \t\v\f|*")
    keyword, after = start[:15], start[15:16]
    return keyword.lower() in NOTES and (after == ":" or after.isspace())


def has_reference(line: str) -> bool:
    """True for a line that names an issue: `#12`, `owner/name#12`.

    Where the line has a word that closes issues, only what comes after such words counts. Addresses name no issue.
    """
    return any(_has_number(sentence) and not _has_address(sentence) for sentence in _sentences(line))


def _sentences(line: str) -> list[str]:
    """What comes after each word that closes issues; the whole line where there is none."""
    low = line.lower() if line.isascii() else "".join(each.lower() if each.isascii() else each for each in line)
    starts = sorted({at for word in ACTIONS for at in _places(low, word)})
    found: list[str] = []
    end = 0
    for number, start in enumerate(starts):
        word = next(word for word in ACTIONS if low.startswith(word, start))
        after = start + len(word)
        if start < end or not low[after : after + 1].isspace():
            continue
        end = starts[number + 1] if number + 1 < len(starts) else len(line)
        found.append(line[after:end])
    return found or [line]


def _places(text: str, word: str) -> list[int]:
    found = []
    at = text.find(word)
    while at >= 0:
        found.append(at)
        at = text.find(word, at + len(word))
    return found


def _has_number(text: str) -> bool:
    at = text.find("#")
    while at >= 0:
        end = at + 1
        while end < len(text) and (text[end] in WORD or text[end] == "-"):
            end += 1
        if end > at + 1 and (end == len(text) or text[end].isspace() or text[end] in AFTER_NUMBER):
            return True
        at = text.find("#", end)
    return False


def _has_address(text: str) -> bool:
    """True where an http address stands in a text, as far as one can tell without reading it."""
    for start in _address_places(text):
        end = start
        while end < len(text) and (text[end] in WORD or text[end] in URL_PUNCTUATION):
            if text[end] in WORD:
                return True
            end += 1
    return False


def has_long_address(line: str) -> bool:
    """True for a line that may be too long, since an address cannot be broken."""
    return any(start < len(line) and not line[start].isspace() for start in _address_places(line))


def _address_places(text: str) -> list[int]:
    """Where what follows `http://` or `https://` begins."""
    return [
        at + len(scheme)
        for scheme in ("http://", "https://")
        for at in _places(text, scheme)
        if at == 0 or text[at - 1] not in WORD
    ]
