"""Reading commit messages as Conventional Commits 1.0.0. Any text is read; nothing raises.

Source: https://www.conventionalcommits.org/en/v1.0.0/#specification. Where people's habit is wider than the text, the
reading that loses no breaking change and no reference is chosen:
- a BREAKING CHANGE footer counts wherever a line begins with it, also without a blank line before it, and also in a
  message whose subject is not conventional;
- git's own `Revert "…"` and `Reapply "…"` subjects are read as the reverts that they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from shipline.domain.change import Change
from shipline.ports.repository import Commit

HEADER = re.compile(r"([^\W_][\w-]*)(?:\(([^\n]*?)\))?(!)?:[ \t]+(\S[^\n]*)")
REVERT = re.compile(r'Revert "([^\n]*)"(?:[ \t]+\(#\d+\))*[ \t]*')
REAPPLY = re.compile(r'Reapply "([^\n]*)"(?:[ \t]+\(#\d+\))*[ \t]*')

# A footer's token and separator (specification, items 8 to 12); a token at the end of its line has its value below.
# The line break in front is what makes them fast to find.
FOOTER = re.compile(r"\n(BREAKING[ -]CHANGE|[^\W_][\w-]*)(?::[ \t]+|:(?=\n|\Z)|[ \t](?=#))")
BREAKING = frozenset({"BREAKING CHANGE", "BREAKING-CHANGE"})
# Our own: what a user has to do, in the words of who made the change.
UPGRADE_NOTE = "Upgrade-Note"
# Written by `git cherry-pick -x`; not a footer by its form, and no part of the footer before it.
CHERRY_PICKED = re.compile(r"^\(cherry picked from commit [0-9a-f]+\)$", re.MULTILINE)

# The keywords of GitHub and GitLab that close or name an issue, and the usual trailers.
REFERENCE_TOKENS = frozenset(
    {
        "close",
        "closed",
        "closes",
        "fix",
        "fixed",
        "fixes",
        "implements",
        "issue",
        "issues",
        "part-of",
        "pr",
        "pull-request",
        "ref",
        "reference",
        "references",
        "refs",
        "related",
        "related-to",
        "relates-to",
        "resolve",
        "resolved",
        "resolves",
        "see",
    }
)
# A repository's name begins where no other name goes on: else long words would be tried from each of their letters.
REPOSITORY = r"(?<![\w.-])[\w.-]{1,100}/[\w.-]{1,100}#\d+"
NUMBER = re.compile(rf"{REPOSITORY}|#\d+")
PLAIN_NUMBER = re.compile(r"#\d+")
REQUEST_AT_END = re.compile(r"\((#\d+)\)(?=\n|\Z)")
NAMED_NUMBER = re.compile(r"\w#\d")
REFERENCE = re.compile(rf"{REPOSITORY}|#\d+|\b[A-Z][A-Z0-9]{{0,30}}-\d+\b")

# From: GitLab's template of a merge commit, https://docs.gitlab.com/user/project/merge_requests/commit_templates/
SEE_REQUEST = "See merge request "
MERGE_REQUEST = re.compile(rf"^{SEE_REQUEST}\S*(!\d+)[ \t]*$", re.MULTILINE)

# From: https://docs.github.com/en/pull-requests/committing-changes-to-your-project/creating-and-editing-commits/
# creating-a-commit-with-multiple-authors; squashing writes one for each author of a request.
CO_AUTHOR = re.compile(r"^co-authored-by:[ \t]*([^<\n]*[^<\s])[ \t]*<", re.MULTILINE | re.IGNORECASE)
CO_AUTHOR_LINE = re.compile(r"^[ \t]*co-authored-by[ \t]*:(.*)", re.MULTILINE | re.IGNORECASE)
BETWEEN_ADDRESSES = re.compile(r"[\s<>,;]+")

REVERTS = re.compile(r"^(?:This reverts commits?|Reverts:?)[ \t]+([^\n]*(?:\n[^\n:]+)?)", re.MULTILINE | re.IGNORECASE)
OBJECT_ID = re.compile(r"\b[0-9a-f]{7,64}\b")
# How git goes on where the revert is one of a merge: with the parent that stays, which is not taken back.
REVERSING = re.compile(r",?\s+reversing\s+changes\s+made\s+to\s+([0-9a-f]{7,64})\b")


class Message(NamedTuple):
    """A commit message, read. Fields are as in `shipline.domain.change.Change`."""

    type: str
    description: str
    scope: str | None = None
    breaking: bool = False
    breaking_notes: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    reverts: tuple[str, ...] = ()
    body: str = ""
    upgrade_notes: tuple[str, ...] = ()


def read_change(commit: Commit) -> Change:
    """The commit as one Change, whatever more its body says."""
    return change_of(commit, read_message(commit.message))


def change_of(commit: Commit, message: Message) -> Change:
    """The change that a message of a commit is."""
    kind, description, scope, breaking, notes, references, reverts, body, upgrades = message
    change = Change(
        commit.id,
        kind,
        description,
        commit.author,
        commit.time_us,
        scope,
        breaking,
        notes,
        references,
        reverts,
        body,
        upgrades,
        commit.author_mail,
    )
    if "uthored-" not in commit.message:  # Nearly all, and there are very many.
        return change
    return replace(change, co_authors=co_authors_in(commit.message))


def read_message(raw: str | bytes) -> Message:
    """Read a commit message; bytes are UTF-8, with what is not UTF-8 replaced.

    A message that is not conventional has the type "" and its whole subject as description.
    """
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    subject, _, rest = text.strip().partition("\n")
    kind, scope, exclamation, description = _read_subject(subject)
    references = _numbers(subject) if "#" in subject else []
    if not rest and kind != "revert":
        return Message(kind, description, scope, exclamation, (), tuple(references))
    notes, upgrades, referred, body = _read_rest(rest.strip("\n"))
    return Message(
        kind,
        description,
        scope,
        exclamation or bool(notes),
        notes,
        tuple(dict.fromkeys(references + referred)),
        _read_reverts(kind, rest),
        body,
        upgrades,
    )


def co_authors_in(message: str) -> tuple[str, ...]:
    """Those whom a commit's message names beside its author. A message of several changes names them once for all."""
    return tuple(dict.fromkeys(CO_AUTHOR.findall(message))) if "uthored-" in message else ()


def co_author_mails_in(message: str) -> frozenset[str]:
    """The addresses of those whom a commit's message names beside its author, wherever and however it does.

    Who asks wants to miss nobody, so that a line counts also where git would see no trailer in it.
    """
    words = (word for line in CO_AUTHOR_LINE.findall(message) for word in BETWEEN_ADDRESSES.split(line))
    return frozenset(word for word in words if "@" in word)


def numbers_in(message: str) -> tuple[str, ...]:
    """The numbers among the references of a message, and what stands with them, without reading all the rest."""
    place = message.find("#")
    if place > 0 and message.find("#", place + 1) < 0 and SEE_REQUEST not in message:
        only = REQUEST_AT_END.match(message, place - 1)
        if only is not None and "\n" not in message[:place]:
            return (only[1],)  # As most have it.
    subject, _, rest = message.partition("\n")
    found = _numbers(subject) if "#" in subject else []
    if "#" in rest or SEE_REQUEST in rest:
        found += _read_rest(rest.strip("\n"))[2]
    return tuple(dict.fromkeys(found))


def _read_subject(subject: str) -> tuple[str, str | None, bool, str]:
    """Type, scope, whether there is an exclamation mark, description."""
    header = HEADER.match(subject)
    if header is not None:
        kind, scope, exclamation, description = header.groups()
        return kind.lower(), (scope or "").strip() or None, exclamation is not None, description.rstrip()
    if (reverted := REVERT.fullmatch(subject)) is not None:
        return "revert", None, False, reverted[1].strip()
    if (again := REAPPLY.fullmatch(subject)) is not None and not again[1].startswith('Reapply "'):
        return _read_subject(again[1])
    return "", None, False, subject.strip()


def _numbers(text: str) -> list[str]:
    """Pull requests and issues as written. Names before the # are rare, and looking for them is slow."""
    return (NUMBER if NAMED_NUMBER.search(text) else PLAIN_NUMBER).findall(text)


def _read_rest(rest: str) -> tuple[tuple[str, ...], tuple[str, ...], list[str], str]:
    """Breaking notes, upgrade notes, references, and the body without the breaking notes."""
    requests = MERGE_REQUEST.findall(rest) if SEE_REQUEST in rest else []
    if ":" not in rest and "#" not in rest:
        return (), (), requests, rest
    notes: list[str] = []
    upgrades: list[str] = []
    references: list[str] = []
    body = rest
    for token, value, start in footers(rest):
        if token in BREAKING:
            notes.append(_unwrapped(value))
            body = body[:start]
        elif token == UPGRADE_NOTE:
            upgrades.append(_unwrapped(value))
            body = body[:start]
        elif token.lower() in REFERENCE_TOKENS:
            references += REFERENCE.findall(value.partition("\n")[0])
    return tuple(filter(None, notes)), tuple(filter(None, upgrades)), references + requests, body.rstrip()


def footers(rest: str) -> Iterator[tuple[str, str, int]]:
    """Token, value and start of each footer; a value ends where the next footer begins (specification, item 10)."""
    found = list(FOOTER.finditer("\n" + rest))
    ends = [match.start() for match in found[1:]] + [len(rest) + 1]
    for match, end in zip(found, ends, strict=False):  # No footer at all has one end too many.
        value = rest[match.end() - 1 : max(end - 1, 0)]
        yield match[1], CHERRY_PICKED.split(value, maxsplit=1)[0], match.start()


def _unwrapped(note: str) -> str:
    """A note as paragraphs of one line each: its line breaks were those of a commit message."""
    paragraphs = re.split(r"\n[ \t]*\n", note.strip())
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _read_reverts(kind: str, rest: str) -> tuple[str, ...]:
    """Object ids, and pull requests as written (`#12`, `owner/name#12`), that a message takes back."""
    if kind != "revert" and "everts" not in rest:
        return ()
    named = [found for match in REVERTS.finditer(rest) for found in _commits_named(match[1])]
    if kind == "revert":
        # The specification's own example of a revert names its commits in a `Refs` footer.
        named += [
            found for token, value, _ in footers(rest) if token.lower() == "refs" for found in OBJECT_ID.findall(value)
        ]
    return tuple(dict.fromkeys(named))


def _commits_named(text: str) -> list[str]:
    text = REVERSING.split(text, maxsplit=1)[0]
    return OBJECT_ID.findall(NUMBER.sub(" ", text)) + NUMBER.findall(text)
