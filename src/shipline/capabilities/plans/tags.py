"""Which tags are releases of a package, and in which form the next one is written."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from shipline.capabilities.plans.versions import Version, scheme_named
from shipline.domain.errors import InvalidValue
from shipline.domain.package import Package
from shipline.ports.repository import Tag

# The forms that are in use, the commonest first. Bare ones do not say which package they belong to.
BARE = ("v{version}", "{version}", "release-{version}", "release/{version}")
NAMED = ("{package}@{version}", "{package}-v{version}", "{package}@v{version}", "{package}/v{version}")
NAMED_LATER = ("{package}-{version}", "{package}/{version}")

FORMATS = (*BARE, *NAMED, *NAMED_LATER)
FORMS_BY = 5
"""How many of the latest releases show the form of a package's tags."""

MONOREPO_FORMAT = NAMED[0]
"""Of packages that share a repository whose tags show no other form."""
NAMED_TAG = re.compile(r"(\S+?)(@v?|-v|/v|[-/])\d+\.[^@/\s]*")

# A tag of the form that NAMED and their like have, whoever the package is.
OTHER = re.compile(r"(\S+?)(?:@v?|[-/]v)\d+\.\d+\.\d+\S*")


@dataclass(frozen=True, slots=True)
class Released:
    """A version that a tag says was released."""

    version: Version
    tag: Tag


def version_text(tag_format: str, package: str, tag: str) -> str | None:
    """The part of `tag` that stands where `tag_format` has `{version}`, None where the rest does not fit."""
    before, after = _affixes(tag_format, package)
    if not tag.startswith(before) or not tag.endswith(after) or len(tag) <= len(before) + len(after):
        return None
    return tag[len(before) : len(tag) - len(after)]


@lru_cache(maxsize=4096)
def _affixes(tag_format: str, package: str) -> tuple[str, str]:
    before, found, after = tag_format.replace("{package}", package).partition("{version}")
    if not found:
        raise InvalidValue(f"the tag format {tag_format[:80]!r} has no {{version}}")
    return before, after


def released(package: Package, tags: Iterable[Tag], *, alone: bool) -> tuple[Released, ...]:
    """The releases that `tags` tell of, lowest version first; tags that are no versions are left out.

    Projects change the form of their tags in the course of time. So the package's form stands for all usual forms
    that say as clearly whose tag it is; bare ones count only where the package is `alone` in its repository.
    Of two tags of one version, the one in the package's own form counts.
    """
    formats = _formats(package.tag_format, alone=alone)
    best: dict[str, Released] = {}
    for tag, found in ((tag, _read(package, formats, tag)) for tag in tags):
        if found is not None and (found.text not in best or tag.name == package.tag(found.text)):
            best[found.text] = Released(found, tag)
    return tuple(sorted(best.values(), key=lambda entry: entry.version.key))


def with_detected_format(package: Package, tags: Iterable[Tag]) -> Package:
    """The package with the tag format that its history shows: that of most of its FORMS_BY highest versions.

    So one tag that came in by mistake changes nothing, and a new form holds once several releases have it. Of formats
    that are as frequent, that of the highest version wins, then the one that all tags together have more often.
    Pre-releases count too: a branch may have had no final version for long. Where no tag fits any format, the package
    keeps its own.
    """
    read = _forms_of(package, tags)
    if not read:
        return package
    latest = sorted(read, key=lambda each: each[0].key, reverse=True)[:FORMS_BY]
    votes, everyone = Counter(form for _, form in latest), Counter(form for _, form in read)
    highest = {form: version for version, form in reversed(latest)}
    best = max(votes, key=lambda form: (votes[form], highest[form].key, everyone[form], -FORMATS.index(form)))
    return replace(package, tag_format=best)


def has_other_form(package: Package, entry: Released) -> bool:
    """True for a release whose tag is not of the package's form."""
    before, after = _affixes(package.tag_format, package.name)
    text = version_text(package.tag_format, package.name, entry.tag.name)
    return text is None or (not before and not after and not text[:1].isdigit())


def _forms_of(package: Package, tags: Iterable[Tag]) -> list[tuple[Version, str]]:
    """The tags that are versions of the package, each with the first format that it fits."""
    candidates = [replace(package, tag_format=form) for form in FORMATS]
    found: list[tuple[Version, str]] = []
    for tag in tags:
        read = ((_read(each, (each.tag_format,), tag), each.tag_format) for each in candidates)
        first = next(((version, form) for version, form in read if version is not None), None)
        found += [] if first is None else [first]
    return found


def used_format(names: Iterable[str], tag_names: Iterable[str]) -> str | None:
    """The form in which most of the tags name one of the packages; None where none does."""
    known = set(names)
    votes = Counter(match[2] for tag in tag_names if (match := NAMED_TAG.fullmatch(tag)) and match[1] in known)
    return f"{{package}}{votes.most_common(1)[0][0]}{{version}}" if votes else None


def tags_by_package(packages: Iterable[Package], tags: Iterable[Tag]) -> dict[str, list[Tag]]:
    """For each package's name the tags that may be its own, so that not every tag is tried for every package."""
    ordered = sorted(tags, key=lambda tag: tag.name)
    names = [tag.name for tag in ordered]
    found: dict[str, list[Tag]] = {}
    for package in packages:
        forms = _formats(package.tag_format, alone=False)
        starts = {_affixes(form, package.name)[0] for form in forms}
        shortest = {each for each in starts if not any(each != other and each.startswith(other) for other in starts)}
        found[package.name] = [ordered[place] for start in sorted(shortest) for place in _span(names, start)]
    return found


def _span(names: list[str], start: str) -> range:
    """The places of the names that begin with `start`; `names` are in order."""
    return range(bisect_left(names, start), bisect_left(names, f"{start}\U0010ffff"))


def of_other_packages(package: Package, tags: Iterable[Tag]) -> tuple[Tag, ...]:
    """The tags that name a package other than this one, in the order of `tags`: signs of a monorepo."""
    named = ((tag, OTHER.fullmatch(tag.name)) for tag in tags)
    return tuple(tag for tag, match in named if match is not None and match[1] != package.name)


def _formats(own: str, *, alone: bool) -> tuple[str, ...]:
    if own in BARE:
        return (own, *BARE, *NAMED, *NAMED_LATER) if alone else (own,)
    return (own, *NAMED, *NAMED_LATER) if own in {*NAMED, *NAMED_LATER} else (own,)


def _read(package: Package, formats: tuple[str, ...], tag: Tag) -> Version | None:
    scheme = scheme_named(package.scheme)
    for tag_format in formats:
        text = version_text(tag_format, package.name, tag.name)
        # A single number is a moving tag such as `v1`, which follows the releases and is none itself.
        version = scheme.parse(text) if text is not None and "." in text else None
        if version is not None:
            return version
    return None
