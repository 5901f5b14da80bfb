"""The files themselves: whose approval which of the changed paths needs."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from shipline.capabilities.gates.codeowners.globs import github_pattern, gitlab_pattern
from shipline.capabilities.gates.codeowners.regular import go_pattern
from shipline.domain.errors import InvalidValue

# From: docs.github.com, "About code owners": a larger file is not read there. Of the others no bound is known.
FILE_BYTES_MAX = 3_000_000
LINES_MAX = 20_000
# From: the forges' documentation, read 2026-11. The first that is there counts.
LOCATIONS = {
    "github": (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"),
    "gitlab": ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"),
    "gitea": ("CODEOWNERS", "docs/CODEOWNERS", ".gitea/CODEOWNERS"),
}
_NAME = r"[A-Za-z0-9_.-]{1,255}"
_MAIL = rf"[^\s@<>]{{1,200}}@{_NAME}"
_ACCOUNT = re.compile(rf"@{_NAME}(?:/{_NAME})?")
# From: docs.gitlab.com/user/project/codeowners/reference: groups nest, and roles are named with @@.
_GITLAB_OWNER = re.compile(rf"@{_NAME}(?:/{_NAME}){{0,20}}|@@(?:developer|maintainer|owner)s?|{_MAIL}", re.IGNORECASE)
_GITHUB_OWNER = re.compile(rf"@{_NAME}(?:/{_NAME})?|{_MAIL}")
_HEADING = re.compile(
    r"(?P<optional>\^)?\[(?P<name>[^\[\]]{1,255})\](?:\[(?P<count>[0-9]{1,3})\])?(?P<owners>(?:\s.*)?)"
)
T = TypeVar("T")
Matches = Callable[[Sequence[str]], Collection[str]]


@dataclass(frozen=True, slots=True)
class Need:
    """So many different people of `owners` have to approve; `why` says in words by which lines, and `path` is the first
    file that needs it."""

    owners: tuple[str, ...]
    count: int
    why: str
    path: str


@dataclass(frozen=True, slots=True)
class Owned:
    """Whose approval the paths need, and those of them that need nobody's."""

    needs: tuple[Need, ...]
    unowned: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """A rule. `excludes`: what it fits is nobody's in its section."""

    pattern: str
    fits: Matches
    owners: tuple[str, ...]
    excludes: bool = False


@dataclass(slots=True)
class _Section:
    """Rules of which the last that fits counts."""

    name: str = ""
    count: int = 1
    is_optional: bool = False
    lines: list[_Line] = field(default_factory=list)


def owned(content: bytes, rules: str, paths: Sequence[str]) -> Owned:
    """Whose approval the changed `paths` need by a file that the forge `rules` reads so: a key of LOCATIONS.

    InvalidValue, naming the line, for what that forge would pass over, and for a file that is too large.
    """
    if len(content) > FILE_BYTES_MAX:
        raise InvalidValue(f"CODEOWNERS is larger than {FILE_BYTES_MAX} bytes")
    try:
        lines = content.decode("utf-8").removeprefix("\ufeff").split("\n")
    except UnicodeDecodeError:
        raise InvalidValue("CODEOWNERS is no UTF-8 text") from None
    if len(lines) > LINES_MAX:
        raise InvalidValue(f"CODEOWNERS has more than {LINES_MAX} lines")
    sections = _READERS[rules](_numbered(lines))
    if rules == "gitea":
        needed = list(_every_rule(sections[0], paths))
    else:
        needed = [one for section in sections for one in _last_rules(section, paths)]
    taken = {path for path, _ in needed}
    needs: dict[tuple[object, ...], Need] = {}
    for path, need in needed:
        key = (need.owners, need.count, need.why if need.count > 1 else "")
        needs.setdefault(key, Need(need.owners, need.count, need.why, path))
    return Owned(tuple(needs.values()), tuple(path for path in paths if path not in taken))


def missing_needs(needs: Iterable[Need], people: Mapping[str, Collection[str]]) -> tuple[Need, ...]:
    """The needs that those who have approved do not meet. `people`: by each one's name, what CODEOWNERS may call them;
    capitals do not count, as on every forge."""
    handles = {name: {handle.casefold() for handle in known} for name, known in people.items()}

    def met(need: Need) -> bool:
        wanted = {owner.casefold() for owner in need.owners}
        return sum(1 for known in handles.values() if known & wanted) >= need.count

    return tuple(need for need in needs if not met(need))


def _last_rules(section: _Section, paths: Sequence[str]) -> Iterator[tuple[str, Need]]:
    """For each path the last line that fits it. An optional section is asked, and waited for by nobody."""
    if section.is_optional:
        return
    last: dict[str, _Line] = {}
    excluded: set[str] = set()
    for line in section.lines:
        for path in line.fits(paths):
            if line.excludes:
                excluded.add(path)
            else:
                last[path] = line
    where = f" in [{section.name}]" if section.name else ""
    for path, line in last.items():
        if line.owners and path not in excluded:
            yield path, Need(line.owners, section.count, f"{line.pattern}{where}", path)


def _every_rule(section: _Section, paths: Sequence[str]) -> Iterator[tuple[str, Need]]:
    for line in section.lines:
        for path in line.fits(paths):
            yield path, Need(line.owners, 1, line.pattern, path)


def _numbered(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """What is no comment and no empty line, with its number."""
    for number, raw in enumerate(lines, 1):
        line = raw.strip()
        if line and not line.startswith("#"):
            yield number, line


def _github(lines: Iterator[tuple[int, str]]) -> list[_Section]:
    section = _Section()
    for number, text in lines:
        pattern, *rest = _words(text)
        owners = _owners(_before_comment(rest), _GITHUB_OWNER, number)
        section.lines.append(_Line(pattern, _fitting(number, pattern, github_pattern), owners))
    return [section]


def _gitlab(lines: Iterator[tuple[int, str]]) -> list[_Section]:
    section = _Section()
    usual: tuple[str, ...] = ()
    known: dict[str, _Section] = {}
    sections = [section]
    for number, text in lines:
        if text.startswith(("[", "^[")):
            section, usual = _headed(number, text, known)
            sections += [] if section in sections else [section]
            continue
        pattern, *rest = _words(text)
        excludes = pattern.startswith("!")
        if excludes and rest:
            raise _misspelt(number, "what is left out with ! has no owners")
        owners = _owners(rest, _GITLAB_OWNER, number) or usual
        if not owners and not excludes:
            raise _misspelt(number, f"{pattern[:80]!r} has no owner, nor has its section")
        bare = pattern[1:] if excludes else pattern
        section.lines.append(_Line(pattern, _fitting(number, bare, gitlab_pattern), owners, excludes))
    return sections


def _headed(number: int, text: str, known: dict[str, _Section]) -> tuple[_Section, tuple[str, ...]]:
    """The section of a heading, and its usual owners. Those of one name are one, and the stricter heading counts."""
    found = _HEADING.fullmatch(text)
    if found is None:
        raise _misspelt(number, f"{text[:80]!r} is no heading of a section")
    name, count, is_optional = found["name"].strip(), int(found["count"] or 1), found["optional"] is not None
    section = known.setdefault(name.casefold(), _Section(name, 1, is_optional))
    section.count = max(section.count, count)
    section.is_optional = section.is_optional and is_optional
    return section, _owners(found["owners"].split(), _GITLAB_OWNER, number)


def _gitea(lines: Iterator[tuple[int, str]]) -> list[_Section]:
    section = _Section()
    for number, text in lines:
        pattern, *rest = _unescaped(text)
        owners = _owners(rest, _ACCOUNT, number)
        if not owners:
            raise _misspelt(number, f"{pattern[:80]!r} has no owner")
        section.lines.append(_Line(pattern, _placed(number, pattern, go_pattern), owners))
    return [section]


_READERS = {"github": _github, "gitlab": _gitlab, "gitea": _gitea}


def _words(text: str) -> list[str]:
    """A line at its blanks; one behind a backslash is a part of the word."""
    return [re.sub(r"\\([ \t])", r"\1", word) for word in re.findall(r"(?:\\.|[^\s\\]|\\$)+", text)]


def _before_comment(words: Sequence[str]) -> Sequence[str]:
    """What stands before a comment at the end of the line, which GitHub allows."""
    at = next((number for number, word in enumerate(words) if word.startswith("#")), len(words))
    return words[:at]


def _unescaped(text: str) -> list[str]:
    """The words of a line of Gitea's: a backslash takes the next sign as it is, and # begins a comment."""
    words, word, escaped = [], "", False
    for sign in text:
        if escaped:
            word, escaped = word + sign, False
        elif sign == "\\":
            escaped = True
        elif sign == "#":
            break
        elif sign in " \t":
            words += [word] if word else []
            word = ""
        else:
            word += sign
    return [*words, word] if word else words


def _owners(words: Iterable[str], known: re.Pattern[str], number: int) -> tuple[str, ...]:
    owners = tuple(words)
    for owner in owners:
        if not known.fullmatch(owner):
            raise _misspelt(number, f"{owner[:80]!r} is no account, team or mail address")
    return owners


def _fitting(number: int, pattern: str, read: Callable[[str], re.Pattern[str]]) -> Matches:
    compiled = _placed(number, pattern, read)
    return lambda paths: [path for path in paths if compiled.fullmatch(path)]


def _placed(number: int, pattern: str, read: Callable[[str], T]) -> T:
    try:
        return read(pattern)
    except InvalidValue as error:
        raise _misspelt(number, error.what) from None


def _misspelt(number: int, words: str) -> InvalidValue:
    return InvalidValue(
        f"line {number} of CODEOWNERS cannot be read: {words}",
        todo="mend it: the forge passes over such a line, and what it is about is then nobody's",
    )
