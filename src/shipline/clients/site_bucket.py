"""Sites side by side in one bucket, of which a page at its top shows one.

    PREFIX/index.html              the pointer: a page that leads to one of the sites, and says which
    PREFIX/preview.html            the same for the site that is previewed, where one is or was
    PREFIX/sites/NAME/...          an unpacked site, which never changes
    PREFIX/.shipline/sites/NAME    what is known of it, written once all of it is there
    PREFIX/.shipline/groups/GROUP  the name of a group's site
    PREFIX/.shipline/*.json        what target and traffic remember

The pointer is replaced by one conditional write: every request finds the old page or the new one, and who has read an
older one is refused. Nothing else that users ask for is ever changed. A site is dropped from its end: what is known of
it goes first, so that it counts as not there.
"""

from __future__ import annotations

import html
import json
import mimetypes
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import quote

from shipline.clients.aws_api import AWSPlace
from shipline.clients.s3 import Bucket, Content, Listed, checked_key
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import ConfigurationError, ConflictError, InvalidValue, ShiplineError, UnavailableError
from shipline.domain.strict_json import read_json
from shipline.ports.clock import Clock
from shipline.ports.target import checked_group_id

POINTER, PREVIEW, SITES, KEPT = "index.html", "preview.html", "sites/", ".shipline/"
PREFIX = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]{0,59}/){0,8}")
UPLOADS_AT_ONCE = 8
DOCUMENT_BYTES_MAX = 1 << 20
GROUP, SITE, REVISION, WRITE = "shipline-group", "shipline-site", "shipline-revision", "shipline-write"
NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)
# What Python's own table lacks; from: iana.org/assignments/media-types.
TYPES = {
    ".avif": "image/avif",
    ".map": "application/json",
    ".md": "text/markdown",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}
D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class KeptSite:
    """What is known of a site that is there whole: the page that users are led to, whether it came with that page, and
    how many files and bytes it has."""

    entry: str
    has_entry: bool
    files: int
    size: int


@dataclass(frozen=True, slots=True)
class Pointer:
    """The page at the top. `group_id` is the group that it leads to, None where it leads to none; `etag` is that of the
    page, None where there is none. `revision` is the one that it was written for, and `write` how many pages came
    before it, both 0 where it does not say so."""

    group_id: str | None
    etag: str | None
    revision: int = 0
    write: int = 0


class SiteBucket:
    """The layout in one bucket, below `prefix` ("" or names that each end in a slash). No I/O in the constructor."""

    def __init__(self, place: AWSPlace, name: str, prefix: str, clock: Clock) -> None:
        self.bucket = Bucket(place, name, clock)
        self.prefix = prefix

    def place_of(self, name: str) -> str:
        """What the keys of a site's files begin with."""
        return f"{self.prefix}{SITES}{name}/"

    def kept(self, name: str) -> KeptSite | None:
        """What is known of a site; None where it is not there whole."""
        found = self.bucket.get(self._kept_key(name))
        return None if found is None else _document(KeptSite, found.content, name)

    def all_kept(self) -> tuple[str, ...]:
        """The names of all sites that are there, oldest first."""
        listed = self.bucket.list(self._kept_key(""))
        in_order = sorted(listed, key=lambda one: (one.modified, one.key))
        return tuple(one.key.removeprefix(self._kept_key("")) for one in in_order)

    def upload(self, name: str, folder: Path, files: Iterable[str], *, entry: str) -> None:
        """Put a site there, file by file, look that all of it is, and note so. What was half done is done over."""
        sizes = {checked_key(f"{self.place_of(name)}{file}"): folder / file for file in files}
        self.bucket.delete([self._kept_key(name)])
        with ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
            for _ in pool.map(lambda item: self.bucket.put(item[0], Content(item[1], type_of(item[0]))), sizes.items()):
                pass
        wanted = {key: path.stat().st_size for key, path in sizes.items()}
        found = {one.key: one.size for one in self.bucket.list(self.place_of(name))}
        strange = [key for key in found if key not in wanted]
        self.bucket.delete(strange)
        missing = [key for key, size in wanted.items() if found.get(key) != size]
        if missing:
            raise ShiplineError(
                f"{self.bucket.who} does not have {missing[0][:200]} as it was put there",
                todo="see whether somebody else writes there, and run this again",
            )
        has_entry = f"{self.place_of(name)}{entry}" in wanted
        kept = KeptSite(entry, has_entry, len(wanted), sum(wanted.values()))
        self.bucket.put(self._kept_key(name), _content(kept))

    def listed(self, name: str, *, at_most: int) -> tuple[Listed, ...]:
        """The first files of a site."""
        return tuple(self.bucket.list(self.place_of(name), at_most=at_most))

    def drop(self, name: str) -> None:
        """Remove a site. Idempotent."""
        self.bucket.delete([self._kept_key(name)])
        self.bucket.delete([one.key for one in self.bucket.list(self.place_of(name))])

    def set_group(self, group_id: str, name: str) -> None:
        """Let a group be the site of this name."""
        self.bucket.put(self._group_key(group_id), Content(name.encode(), "text/plain"))

    def remove_group(self, group_id: str) -> None:
        """The site stays. Idempotent."""
        self.bucket.delete([self._group_key(group_id)])

    def site_of(self, group_id: str) -> str | None:
        """The name of a group's site; None where it has none."""
        found = self.bucket.get(self._group_key(group_id))
        return None if found is None else found.content[:400].decode("utf-8", "replace")

    def pointer(self) -> Pointer:
        """What is shown. ConflictError where the page is somebody else's."""
        return self._pointer(POINTER)

    def previewed(self) -> Pointer:
        """What is previewed. ConflictError where the page is somebody else's."""
        return self._pointer(PREVIEW)

    def preview(self, group_id: str, name: str, *, revision: int, replaces: Pointer) -> None:
        """Let a group's site be previewed from now on, "" for none. ObjectChanged where that is not what was read."""
        kept = self.kept(name) if name else None
        target = "" if kept is None else f"{SITES}{name}/{kept.entry}"
        self._point(group_id, name, target, revision=revision, replaces=replaces, key=PREVIEW)

    def _pointer(self, key: str) -> Pointer:
        found = self.bucket.get(f"{self.prefix}{key}")
        if found is None:
            return Pointer(None, None)
        if GROUP not in found.metadata:
            raise ConflictError(
                f"{self.bucket.who} has a {self.prefix}{key} that is not Shipline's",
                todo="remove it, or give the environment a `prefix` of its own",
            )
        revision, write = (_number(found.metadata.get(name, "")) for name in (REVISION, WRITE))
        return Pointer(found.metadata[GROUP] or None, found.etag, revision, write)

    def show(self, group_id: str, name: str, *, revision: int, replaces: Pointer) -> None:
        """Show a group's site from now on. ObjectChanged where the pointer is not any more what was read."""
        kept = self.kept(name)
        if kept is None:
            raise UnavailableError(f"the site of group {group_id} has just been removed from {self.bucket.who}")
        target = f"{SITES}{name}/{kept.entry}"
        self._point(checked_group_id(group_id), name, target, revision=revision, replaces=replaces)

    def show_nothing(self, *, revision: int, replaces: Pointer) -> None:
        """Let the pointer lead nowhere."""
        self._point("", "", "", revision=revision, replaces=replaces)

    def _point(  # noqa: PLR0913 - each is named where it is given
        self, group_id: str, name: str, target: str, *, revision: int, replaces: Pointer, key: str = POINTER
    ) -> None:
        write = replaces.write + 1
        site = f"{SITES}{name}/" if name else ""
        own = {GROUP: group_id, SITE: site, REVISION: str(revision), WRITE: str(write)}
        text = page(target, revision=revision, write=write)
        # Whoever keeps the page for a while would go on leading users to the version from before.
        content = Content(text.encode(), "text/html; charset=utf-8", "no-cache", own)
        self.bucket.put(f"{self.prefix}{key}", content, replaces=replaces.etag)

    def _kept_key(self, name: str) -> str:
        return f"{self.prefix}{KEPT}{SITES}{name}"

    def _group_key(self, group_id: str) -> str:
        return f"{self.prefix}{KEPT}groups/{checked_group_id(group_id)}"


class BucketState(Generic[D]):
    """A small document in the bucket, a frozen dataclass, which engines on several machines share; `initial` where
    there is none yet. What was read is written back only if nobody else has written since."""

    def __init__(self, site: SiteBucket, name: str, initial: D) -> None:
        self._bucket = site.bucket
        self._key = f"{site.prefix}{KEPT}{name}.json"
        self._initial = initial

    def read(self) -> tuple[D, str | None]:
        """The document, and what `write` has to be given. ShiplineError for what is none."""
        found = self._bucket.get(self._key)
        if found is None:
            return self._initial, None
        return _document(type(self._initial), found.content, self._key), found.etag

    def write(self, document: D, read: str | None) -> None:
        """Save it. ObjectChanged where it is not any more what was read."""
        self._bucket.put(self._key, _content(document), replaces=read)


def checked_prefix(prefix: str) -> None:
    """ConfigurationError for what is no prefix."""
    if not PREFIX.fullmatch(prefix):
        raise ConfigurationError(
            f"prefix: {prefix[:80]!r} is none", todo='it is "", or names that each end in a slash, as in "docs/"'
        )


def type_of(key: str) -> str:
    """The media type of a file, by its name alone: machines have tables of their own, which differ."""
    suffix = Path(key).suffix.lower()
    known = TYPES.get(suffix) or mimetypes.MimeTypes(filenames=()).types_map[True].get(suffix)
    if known is None:
        return "application/octet-stream"
    return f"{known}; charset=utf-8" if known.startswith("text/") else known


def page(target: str, *, revision: int, write: int) -> str:
    """The pointer's page: browsers and crawlers go on to `target`, a path beside it; "" leads nowhere.

    An etag is a digest of the bytes. With a number in them that goes up with each page, none is ever the same as an
    older one, or an engine that was paused could take one that shows the same again for the one that it has read.
    """
    own = f'<meta name="{REVISION}" content="{revision}">\n<meta name="{WRITE}" content="{write}">\n'
    begin = f'<!doctype html>\n<meta charset="utf-8">\n{own}'
    if not target:
        return f"{begin}<title>Nothing is shown here</title>\n"
    link = html.escape(quote(target, safe="/-._~"), quote=True)
    return (
        f'{begin}<title>…</title>\n<meta http-equiv="refresh" content="0; url={link}">\n<a href="{link}">{link}</a>\n'
    )


def _number(text: str) -> int:
    return int(text) if NUMBER.fullmatch(text) else 0


def _content(document: object) -> Content:
    return Content(json.dumps(to_json(document), indent=1, sort_keys=True).encode(), "application/json")


def _document(kind: type[D], data: bytes, what: str) -> D:
    try:
        return from_json(kind, read_json(data, what=what, limit_bytes=DOCUMENT_BYTES_MAX))
    except (InvalidValue, ShiplineError) as error:
        raise ShiplineError(
            f"{what} in the bucket cannot be read", why=error.what, todo="restore it, or remove all of .shipline/ there"
        ) from error
