"""One commit, several messages: squashed commits, extra headers in a body, and messages corrected afterwards. Pure.

Promises: every text is read, and nothing raises; a message that is one change stays one, whatever its body says in
prose. A line of a body begins a message of its own only if its type is in common use, or one that the project has set
up, and something is said behind it, so that trailers (`Reviewed-by: Z`) and closing words (`fix: #12`) do not.

Sources, as of November 2026:
- `BEGIN_COMMIT_OVERRIDE`, `BEGIN_NESTED_COMMIT`, headers at the end of a body: https://github.com/googleapis/release-please
- `* feat: …` for each squashed commit: the default messages of GitHub's squashed pull requests and of GitLab's
  `%{all_commits}`; `Squashed commit of the following:` is `git merge --squash`.
Correcting another commit, by its id behind `BEGIN_COMMIT_OVERRIDE` or by a heading in `commit-overrides.md`, is ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from shipline.capabilities.plans.conventional import HEADER, MERGE_REQUEST, REFERENCE, Message, read_message

# From: https://github.com/conventional-changelog/commitlint, config-conventional 20, type-enum
TYPES = ("build", "chore", "ci", "docs", "feat", "fix", "perf", "refactor", "revert", "style", "test")
OVERRIDES_PATH = "commit-overrides.md"

OBJECT_ID = r"[0-9a-f]{7,64}"
SQUASHED = re.compile(r"^commit [0-9a-f]{40,64}\n(?:[A-Z]\w+:[^\n]*\n)+", re.MULTILINE)
SQUASHED_SUBJECT = "Squashed commit of the following:"
BEGIN = re.compile(rf"^BEGIN_(COMMIT_OVERRIDE|NESTED_COMMIT)(?:[ \t]+({OBJECT_ID}))?[ \t]*\n", re.MULTILINE)
HEADING = re.compile(rf"^##[ \t]+`?({OBJECT_ID})`?[ \t]*$", re.MULTILINE)
INDENT = re.compile(r"^ {1,4}", re.MULTILINE)
FENCE = re.compile(r"^ {0,3}(?:```|~~~)", re.MULTILINE)

MERGED = re.compile(r"Merge (?:pull request #\d+ from|branch |remote-tracking branch )")


@lru_cache(maxsize=8)
def inner(types: tuple[str, ...] = ()) -> re.Pattern[str]:
    """A header in a body: behind a list's mark, or at the start of a line. `types` are those of the project itself.

    The line break in front makes it fast to find.
    """
    known = "|".join(map(re.escape, dict.fromkeys((*TYPES, *types))))
    return re.compile(rf"\n(?: {{0,3}}[*-][ \t]+)?(?=(?:{known})(?:\([^\n()]*\))?!?:[ \t]+\S)")


class Block(NamedTuple):
    """What stands between BEGIN_ and END_ of one kind; `commit` is the start of an id, "" where none is named."""

    kind: str
    commit: str
    text: str


def read_messages(raw: str, *, merge: bool = False, types: tuple[str, ...] = ()) -> tuple[Message, ...]:
    """The messages in a commit's text, one or more; those that are not conventional only where no other is there.

    `merge` is for a commit of several parents, whose body lists what came with it anyway: only its title counts.
    `types` begin a message inside of a body too, beside the common ones.
    """
    if not merge and inner(types).search(raw) is None and "BEGIN_" not in raw and SQUASHED_SUBJECT not in raw:
        return (read_message(raw),)
    text = raw.replace("\r\n", "\n").replace("\r", "\n").strip()
    if merge:
        return (_merged(text),)
    inherited = (*_numbers(text), *MERGE_REQUEST.findall(text))
    blocks: list[Block] = []
    if "BEGIN_" in text:
        text, blocks = _blocks(text)
        own = [block.text for block in blocks if block.kind == "COMMIT_OVERRIDE" and not block.commit]
        text, blocks = (own[0], []) if own else (text, blocks)
    nested = [block.text for block in blocks if block.kind == "NESTED_COMMIT"]
    pieces = [piece for each in (*nested, text) for piece in _pieces(each, types)]
    if len(pieces) == 1 and not inherited:
        return (read_message(pieces[0]),)
    return _told_apart([_with_references(read_message(piece), inherited) for piece in pieces])


def is_merge_title(message: str) -> bool:
    """True for a merge whose message git or a forge wrote: it says in other words what it brought in."""
    return MERGED.match(message) is not None


def corrections_in(raw: str) -> tuple[tuple[str, str], ...]:
    """What a commit says in the place of others: the start of an id, and the message that holds from now on."""
    if "BEGIN_COMMIT_OVERRIDE" not in raw:
        return ()
    _, blocks = _blocks(raw.replace("\r\n", "\n"))
    return tuple((block.commit, block.text) for block in blocks if block.commit and block.kind == "COMMIT_OVERRIDE")


def read_overrides(content: bytes) -> tuple[tuple[str, str], ...]:
    """The corrections in `commit-overrides.md`: below each heading with an id the message that holds from now on."""
    text = content.decode("utf-8-sig", "replace").replace("\r\n", "\n")
    found = list(HEADING.finditer(text))
    ends = [each.start() for each in found[1:]] + [len(text)]
    return tuple((each[1], text[each.end() : end].strip()) for each, end in zip(found, ends, strict=False))


def by_whole_id(corrections: Iterable[tuple[str, str]], commits: Iterable[str]) -> Mapping[str, str]:
    """Corrections by the whole ids of `commits`; of two for one commit the first holds. Unknown ones are left out."""
    named = dict(reversed(list(corrections)))
    if not named:
        return {}
    lengths = sorted({len(each) for each in named})
    found = ((commit, commit[:length]) for commit in commits for length in lengths)
    return {commit: named[start] for commit, start in found if start in named}


def without_numbers(description: str) -> tuple[str, tuple[str, ...]]:
    """A description, and the requests that squashing and cherry-picking put at its end: ` (#12) (#15)`."""
    numbers: list[str] = []
    while description.endswith(")"):
        before, _, last = description.rpartition("(")
        if last[:1] not in "#!" or not last[1:-1].isdecimal():
            break
        numbers.append(last[:-1])
        description = before.rstrip()
    return description, tuple(numbers)


def _merged(text: str) -> Message:
    """What the title of a merged request says; git's own message where it says nothing."""
    subject, _, rest = text.partition("\n")
    if MERGED.match(subject) is None:
        return read_message(text)
    title = read_message(MERGE_REQUEST.sub("", rest))
    if not title.type:
        return read_message(text)
    return _with_references(title, (*_numbers(subject), *MERGE_REQUEST.findall(rest)))


def _blocks(text: str) -> tuple[str, list[Block]]:
    """The text without its blocks, and these; a block that never ends is text."""
    kept: list[str] = []
    blocks: list[Block] = []
    place = 0
    while (begin := BEGIN.search(text, place)) is not None:
        end = text.find(f"\nEND_{begin[1]}", begin.end() - 1)
        if end < 0:
            break
        kept.append(text[place : begin.start()])
        blocks.append(Block(begin[1], begin[2] or "", text[begin.end() : end].strip()))
        line = text.find("\n", end + 1)
        place = len(text) if line < 0 else line
    return "".join([*kept, text[place:]]).strip(), blocks


def _pieces(text: str, types: tuple[str, ...]) -> Iterator[str]:
    """The text cut at what begins a message of its own."""
    if SQUASHED_SUBJECT in text:
        first, *others = SQUASHED.split(text)
        yield first.replace(SQUASHED_SUBJECT, "")
        yield from (INDENT.sub("", each).strip() for each in others)
        return
    cuts = list(_cuts(text, types))
    yield text[: cuts[0][0]] if cuts else text
    ends = [start for start, _ in cuts[1:]] + [len(text)]
    for (_, begin), end in zip(cuts, ends, strict=False):  # No cut at all has one end too many.
        yield INDENT.sub("", text[begin:end])


def _cuts(text: str, types: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Where a header begins inside of a text: the end of the line before, and the header's first letter."""
    line = -1  # Where the line of the header before ends: headers may stand in lines one below the other.
    fences = [each.start() for each in FENCE.finditer(text)] if "```" in text or "~~~" in text else []
    for match in inner(types).finditer(text):
        start, begin = match.span()
        listed = begin > start + 1
        if not listed and text[start - 1 : start] != "\n" and start != line:
            continue
        header = HEADER.match(text, begin)
        if header is None or not REFERENCE.sub("", header[4]).strip(" ,.()"):
            continue
        if sum(fence < start for fence in fences) % 2:
            continue
        line = header.end()
        yield start, begin


def _told_apart(messages: list[Message]) -> tuple[Message, ...]:
    """The conventional ones, each once; where there is none, the first."""
    kept: dict[object, Message] = {}
    for message in messages:
        key = (message.type, message.scope, without_numbers(message.description)[0].casefold())
        same = kept.get(key)
        if message.type and (same is None or (message.breaking and not same.breaking)):
            kept[key] = message
    return tuple(kept.values()) or (messages[0],)


def _with_references(message: Message, numbers: tuple[str, ...]) -> Message:
    return message._replace(references=tuple(dict.fromkeys((*message.references, *numbers))))


def _numbers(text: str) -> tuple[str, ...]:
    """The requests that a subject names."""
    subject = text.partition("\n")[0]
    return tuple(each for each in REFERENCE.findall(subject) if "#" in each) if "#" in subject else ()
