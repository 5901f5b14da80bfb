"""Changesets: files in `.changeset/` that say which packages a change moves, how far, and what to tell users. Pure.

Source: https://github.com/changesets/changesets/blob/main/docs/detailed-explanation.md and config-file-options.md, as
of @changesets/cli 2.31.1. Read strictly, line by line: a name, a colon and a bump is all that the front matter may
hold, so that no YAML of a stranger is ever interpreted, and a changeset that would be released as nothing is an error.
The pre mode (`pre.json`) is not followed: channels come from tags.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from shipline.capabilities.plans.globs import matches
from shipline.domain.change import Bump, Change
from shipline.domain.errors import ConfigurationError, InvalidValue
from shipline.domain.package import Group

FOLDER = ".changeset"
CONFIG = f"{FOLDER}/config.json"
PRE_MODE = f"{FOLDER}/pre.json"
README = "readme.md"
BYTES_MAX = 64 << 10
PACKAGES_MAX = 1000

FRONT_MATTER = re.compile(r"\s*---[ \t]*\n(.*?)(?:(?<=\n)|(?<=---\n))---[ \t]*(?:\n(.*))?", re.DOTALL)
LINE = re.compile(
    r"[ \t]*(?:\"([^\"\\]{1,214})\"|'([^'\\]{1,214})'|([^\s\"'#:&*!|>%@`][^\s\"'#:]{0,213}))[ \t]*:"
    r"[ \t]*([\"']?)(major|minor|patch|none)\4[ \t]*(?:#.*)?"
)


@dataclass(frozen=True, slots=True)
class Changeset:
    """One changeset: `path` from the root, the bump of each package, and what to tell users; both may be empty."""

    path: str
    bumps: Mapping[str, Bump]
    summary: str

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return PurePosixPath(self.path).stem

    def change(self, bump: Bump) -> Change:
        """The changeset as an entry of a release of a package that it moves by `bump`."""
        first, _, rest = self.summary.partition("\n")
        return Change(
            self.name,
            "fix" if bump is Bump.PATCH else "feat",
            first.strip() or self.name,
            author="",
            time_us=0,
            breaking=bump is Bump.MAJOR,
            body=rest.rstrip(),
            bump=bump,
        )


@dataclass(frozen=True, slots=True)
class ChangesetConfig:
    """What `.changeset/config.json` says that means something here.

    `groups` are its `fixed` and `linked` ones. Packages that match `ignored` are not released. `protocol_only` lets a
    package follow another one only where it requires it by `workspace:`. `base` is the branch that changes are
    compared with. `update_from` is the least bump of a required package after which a package that is released anyway
    requires the new version; None: only what is out of range is rewritten.
    """

    groups: tuple[Group, ...] = ()
    ignored: tuple[str, ...] = ()
    protocol_only: bool = False
    base: str = ""
    update_from: Bump | None = None


def is_changeset(path: str) -> bool:
    """True for the path of a changeset."""
    folder, _, name = path.rpartition("/")
    return folder == FOLDER and name.endswith(".md") and name.lower() != README and name[:1] != "."


def read_changeset(path: str, content: bytes) -> Changeset:
    """Read a changeset. Raises InvalidValue that names the file and what is wrong in it."""
    if len(content) > BYTES_MAX:
        raise InvalidValue(f"the changeset {path} is larger than {BYTES_MAX >> 10} KiB")
    text = content.decode("utf-8-sig", "replace").replace("\r\n", "\n")
    found = FRONT_MATTER.fullmatch(text)
    if found is None:
        raise InvalidValue(
            f"the changeset {path} does not begin with its packages between two lines of ---",
            todo='write, for example:\n---\n"package": minor\n---\n\nWhat users should know.',
        )
    bumps: dict[str, Bump] = {}
    for line in found[1].split("\n"):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = LINE.fullmatch(line)
        if match is None:
            raise InvalidValue(
                f"the changeset {path} has a line that is no package with its bump: {line.strip()[:80]!r}",
                todo='write "package": major, minor, patch or none',
            )
        name = _name(match)
        if name in bumps or len(bumps) >= PACKAGES_MAX:
            raise InvalidValue(f"the changeset {path} names {name!r} twice, or more than {PACKAGES_MAX} packages")
        bumps[name] = Bump(match[5])
    return Changeset(path, bumps, (found[2] or "").strip())


def check_known(changesets: Iterable[Changeset], names: Collection[str]) -> None:
    """Refuse changesets for packages that there are not: they would be released as nothing."""
    for changeset in changesets:
        for name in changeset.bumps:
            if name not in names:
                import difflib  # noqa: PLC0415 - it is for mistakes alone

                near = difflib.get_close_matches(name, names, n=1)
                hint = f"did you mean {near[0]!r}? " if near else ""
                shown = ", ".join(sorted(names)[:20])
                raise InvalidValue(
                    f"the changeset {changeset.path} is for {name!r}, and there is no such package",
                    todo=f"{hint}the packages: {shown}",
                )


def without_ignored(changesets: Sequence[Changeset], ignored: Sequence[str]) -> tuple[Changeset, ...]:
    """The changesets that count. One for an ignored package and another one could be used up by halves: refused."""
    kept = []
    for changeset in changesets:
        out = [name for name in changeset.bumps if any(matches(pattern, name) for pattern in ignored)]
        if out and len(out) < len(changeset.bumps):
            raise ConfigurationError(
                f"the changeset {changeset.path} is for {out[0]!r}, which {CONFIG} ignores, and for others",
                todo="divide it into two changesets",
            )
        if not out:
            kept.append(changeset)
    return tuple(kept)


def read_config(content: bytes) -> ChangesetConfig:
    """Read `.changeset/config.json`; what means nothing here is left aside. Raises ConfigurationError."""
    try:
        table = json.loads(content[: BYTES_MAX + 1])
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{CONFIG} is not JSON", why=str(error)[:200]) from error
    if not isinstance(table, dict):
        raise ConfigurationError(f"{CONFIG} is not a table")
    groups = [
        Group(f"{kind} {number}", names, fixed=kind == "fixed")
        for kind in ("fixed", "linked")
        for number, names in enumerate(_lists(table.get(kind, []), kind), start=1)
    ]
    update = table.get("updateInternalDependencies", "patch")
    base = table.get("baseBranch")
    return ChangesetConfig(
        groups=tuple(groups),
        ignored=_lists([table.get("ignore", [])], "ignore")[0],
        protocol_only=table.get("bumpVersionsWithWorkspaceProtocolOnly") is True,
        base=base if isinstance(base, str) else "",
        update_from={"patch": Bump.PATCH, "minor": Bump.MINOR}.get(update) if isinstance(update, str) else None,
    )


def render_changeset(bumps: Mapping[str, Bump], summary: str) -> str:
    """A changeset as a file."""
    lines = [f'"{name}": {bump.value}\n' for name, bump in bumps.items()]
    return f"---\n{''.join(lines)}---\n" + (f"\n{summary.strip()}\n" if summary.strip() else "")


def without_package(path: str, content: bytes, name: str) -> bytes | None:
    """The changeset after the release of one of its packages: without its line, all else as it was.

    None where no package is left that it moves: it is used up.
    """
    left = {other: bump for other, bump in read_changeset(path, content).bumps.items() if other != name}
    if all(bump is Bump.NONE for bump in left.values()):
        return None
    lines = content.decode("utf-8", "surrogateescape").split("\n")
    read = (LINE.fullmatch(line.removesuffix("\r")) for line in lines)
    own = next((index for index, match in enumerate(read) if match is not None and _name(match) == name), None)
    return "\n".join(line for index, line in enumerate(lines) if index != own).encode("utf-8", "surrogateescape")


def _name(match: re.Match[str]) -> str:
    return match[1] or match[2] or match[3]


def _lists(value: object, key: str) -> list[tuple[str, ...]]:
    if not isinstance(value, list) or not all(
        isinstance(each, list) and all(isinstance(name, str) for name in each) for each in value
    ):
        raise ConfigurationError(f"{CONFIG}: {key} is not a list of packages")
    return [tuple(each) for each in value]
