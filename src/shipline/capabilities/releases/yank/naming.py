"""What people call a release: its version, its tag, or package and version; and what they may have meant. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from shipline.capabilities.plans import scheme_named, version_text
from shipline.domain.errors import UsageError
from shipline.domain.package import Package

SHOWN_MAX = 10


def named_release(text: str, packages: Sequence[Package]) -> tuple[str, str | None]:
    """The version that `text` names, and the package, None where it says none: `0.1.1`, `v0.1.1` and `pkg@0.1.1`.

    A tag is read by the form of each package's tags; one that may be of several packages says none.
    """
    fitting = [(version, each.name) for each in packages if (version := read_tag(each, text)) is not None]
    if fitting:
        return fitting[0][0], fitting[0][1] if len(fitting) == 1 < len(packages) else None
    name, _, rest = text.rpartition("@")
    return (_bare(rest), name) if name in {each.name for each in packages} else (_bare(text), None)


def read_tag(package: Package, tag: str) -> str | None:
    """The version that a tag of the package's form names; None for any other tag."""
    version = version_text(package.tag_format, package.name, tag)
    return version if version and "." in version and scheme_named(package.scheme).parse(version) is not None else None


def unknown_release(version: str, known: Sequence[tuple[str, str]]) -> UsageError:
    """The error for a release that there is not. `known` are packages and versions, of which the nearest come first."""
    if not known:
        return UsageError(
            f"there is no release {version[:60]!r}",
            why="neither the store nor a git tag knows of any",
            todo="`git fetch --tags` brings the tags; `shipline release` makes the first",
        )
    several = len({package for package, _ in known}) > 1
    ordered = sorted(known, key=lambda one: -difflib.SequenceMatcher(None, version[:60], one[1]).ratio())
    shown = [f"{package}@{found}" if several else found for package, found in ordered[:SHOWN_MAX]]
    more = f" and {len(known) - SHOWN_MAX} more" if len(known) > SHOWN_MAX else ""
    return UsageError(
        f"there is no release {version[:60]!r}",
        why="neither the store nor a git tag knows of it",
        todo=f"there are, the nearest first: {', '.join(shown)}{more}; `git fetch --tags` brings others",
    )


def _bare(text: str) -> str:
    """Without the `v` of a tag."""
    return text[1:] if text[:1] in ("v", "V") and text[1:2].isdigit() else text
