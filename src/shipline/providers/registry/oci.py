"""A container registry: images and artifacts from an OCI layout, by digest first, then by tags.

A version is a tag that never moves; a channel (`latest`, `rc`) and, where that is wanted, a line (`1`, `1.4`) is a tag
that moves last, and never from a newer version to an older one. The digest that was built is the digest that is served.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from shipline.clients.confidential import check_confidential
from shipline.clients.named_secrets import named_secret
from shipline.clients.oci_attachments import OCIAttachments
from shipline.clients.oci_credentials import client_credentials
from shipline.clients.oci_layout import layout_name, open_layout
from shipline.clients.oci_registry import OCIClient
from shipline.clients.version_order import order_of
from shipline.domain.errors import ConfigurationError, ConflictError, InvalidValue
from shipline.domain.verdict import Answer
from shipline.ports.attachments import Image, Subject
from shipline.ports.provider import ProviderContext
from shipline.ports.registry import STABLE, Finding, PublishedFile, YankAnswer
from shipline.providers.registry.oci_tags import lines_of, may_follow, moving_tags, order_of_tag, tag_of, ways_back

LATEST = "latest"
LOOKED_AT_MAX = 50
# Distribution specification 1.1, "Pulling manifests": what a repository's name may be.
_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
NEVER_UNDONE = (
    "the tag of the version and its digest go on being served: who pinned them still gets the image",
    "copies that are pulled already stay where they are",
)


@dataclass(frozen=True, slots=True)
class OCISettings:
    """A `[[registry]]` table of the provider `oci`.

    `url` is the registry's address, without a path. `repository` is the image's name there; `{package}` in it is the
    package's name. `username` goes with the password in the environment variable that `password_environment` names;
    both "" take what the container client's `config.json` holds. `channel_tags` moves `latest`, or the tag that is
    called like the channel. `line_tags` moves `1` and `1.4` to a final 1.4.2, never `0`. `answer_timeout_s` bounds a
    whole exchange, and each stretch of one that moves a blob: see Pace.
    """

    url: str
    repository: str = "{package}"
    username: str = ""
    password_environment: str = ""
    channel_tags: bool = True
    line_tags: bool = False
    answer_timeout_s: float = 60.0

    def __post_init__(self) -> None:
        """Refuse what can only be a mistake, before anything is done."""
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
            raise ConfigurationError("url is not the http or https address of a registry, without a path")
        if "@" in parts.netloc:
            raise ConfigurationError("url holds a user name or password", todo="use username and password_environment")
        if (self.username == "") != (self.password_environment == ""):
            raise ConfigurationError("username and password_environment belong together")
        if self.username != "":
            check_confidential(self.url, name="url")
        if not _REPOSITORY.fullmatch(self.repository.replace("{package}", "a")):
            raise ConfigurationError(f"repository = {self.repository[:80]!r} cannot be an image's name")


class OCIRegistry:
    """The Registry port for container registries, and an ImageStore."""

    api_version = 1
    kinds: tuple[str, ...] = ("oci",)
    Settings = OCISettings

    def __init__(self, settings: OCISettings, context: ProviderContext) -> None:
        self._settings = settings

    def check(
        self, package: str, version: str, files: tuple[Path, ...], *, channel: str = STABLE
    ) -> tuple[Finding, ...]:
        """Whether the registry answers to the credentials, and what is to be pushed is whole."""
        client = self._client(package)
        client.ping()
        known = client.tags()
        words = f"it has {len(known)} tags of {client.repository}" if known else f"{client.repository} is new there"
        findings = [
            Finding(Answer.PASS, f"{client.url} answers, and {words}"),
            Finding(Answer.UNKNOWN, "whether the account may push there shows with the first push"),
        ]
        try:
            tag_of(version)
            for path in files:
                with open_layout(path) as layout:
                    layout.check()
                    findings.append(Finding(Answer.PASS, f"{path.name} is whole: {layout.root.digest}"))
        except InvalidValue as error:
            findings.append(Finding(Answer.FAIL, error.what, error.todo))
        return tuple(findings)

    def find(self, package: str, version: str) -> tuple[PublishedFile, ...]:
        """The image that the version's tag names."""
        digest = self._client(package).digest_of(tag_of(version))
        return () if digest is None else (PublishedFile(layout_name(package, version), digest),)

    def publish(
        self, package: str, version: str, files: tuple[Path, ...], *, channel: str = STABLE
    ) -> tuple[PublishedFile, ...]:
        """Push by digest, then tag the version, then the channel."""
        if len(files) != 1:
            raise InvalidValue(f"{len(files)} images are to be published, and a version is one")
        client, tag = self._client(package), tag_of(version)
        with open_layout(files[0]) as layout:
            digest, there = layout.root.digest, client.digest_of(tag)
            if there is not None and there != digest:
                raise ConflictError(
                    f"the registry serves another {client.repository}:{tag}: {there} there, {digest} here",
                    why="a version's tag never moves: those who pulled it would have something else",
                    todo="release this under a new version",
                )
            client.push(layout)
        if there is None:
            client.tag(digest, tag)
        if self._settings.channel_tags:
            self._move(client, version, digest, LATEST if channel == STABLE else tag_of(channel))
        for line in lines_of(version) if self._settings.line_tags else ():
            self._move_line(client, version, digest, line)
        return self.find(package, version)

    def store(self, package: str, version: str, file: Path) -> Image:
        """Push by digest alone."""
        client = self._client(package)
        with open_layout(file) as layout:
            client.push(layout)
            root = layout.root
        name = f"{urlsplit(self._settings.url).netloc}/{client.repository}"
        return Image(name, tag_of(version), Subject(root.media_type, root.digest, root.size))

    def attachments(self, package: str) -> OCIAttachments:
        """Over the same account."""
        return OCIAttachments(self._client(package))

    def yank(self, package: str, version: str, *, reason: str, back_to: str | None = None) -> YankAnswer:
        """Let the moving tags that name it, those of its channel and its lines, name the version before."""
        client = self._client(package)
        digest = client.digest_of(tag_of(version))
        if digest is None:
            return YankAnswer((f"the registry serves no {client.repository}:{version}",), (), NEVER_UNDONE)
        done, not_done = [], []
        tags = client.tags()
        for tag in self._moving(client, version, tags, digest):
            there = ((one, client.digest_of(tag_of(one))) for one in ways_back(tag, version, tags, back_to))
            for good, target in itertools.islice(there, LOOKED_AT_MAX):
                if target not in (None, digest):
                    client.tag(str(target), tag)
                    done.append(f"the tag {tag} names {good} again")
                    break
            else:
                not_done.append(f"{tag} still names {version}: no good version before it is known")
        return YankAnswer(tuple(done), (), (*not_done, *NEVER_UNDONE))

    def verify_yank(self, package: str, version: str) -> Finding:
        """Registries have no mark for a yank: what can be seen is that no moving tag names it."""
        client = self._client(package)
        digest = client.digest_of(tag_of(version))
        if digest is None:
            return Finding(Answer.PASS, f"the registry serves no {client.repository}:{version}")
        naming = ", ".join(self._moving(client, version, client.tags(), digest))
        words = f"{naming} names it" if naming else "no moving tag names it"
        return Finding(Answer.UNKNOWN, f"{words}; a registry has no other way to show a yank")

    def install_arguments(self) -> tuple[str, ...]:
        """Images are pulled by their own name."""
        return ()

    def _client(self, package: str) -> OCIClient:
        repository = self._settings.repository.replace("{package}", package.removeprefix("@").lower())
        if not _REPOSITORY.fullmatch(repository) or len(repository) > 255:
            raise InvalidValue(
                f"{repository[:80]!r} cannot be an image's name", todo="set `repository` for this registry"
            )
        settings = self._settings
        return OCIClient(settings.url.rstrip("/"), repository, settings.answer_timeout_s, self._credentials())

    def _credentials(self) -> tuple[str, str] | None:
        variable = self._settings.password_environment
        if variable == "":
            return client_credentials(urlsplit(self._settings.url).netloc)
        return (self._settings.username, named_secret(variable))

    def _move(self, client: OCIClient, version: str, digest: str, channel: str) -> None:
        """Let the channel's tag name this image, unless it names a newer version's."""
        there = client.digest_of(channel)
        if there == digest:
            return
        named = None if there is None else self._version_of(client, there)
        newer, mine = order_of_tag(named or ""), order_of(version)
        if newer is None or mine is None or newer < mine:
            client.tag(digest, channel)

    def _move_line(self, client: OCIClient, version: str, digest: str, line: str) -> None:
        """Let a line's tag name this image, where it is new or names a lower version of the line."""
        there = client.digest_of(line)
        if there == digest:
            return
        if there is None or may_follow(line, version, self._version_of(client, there, line=line)):
            client.tag(digest, line)

    def _version_of(self, client: OCIClient, digest: str, *, line: str = "") -> str | None:
        """The version, of that line alone, whose tag names an image; None where none of the highest does."""
        tags = (tag for tag in client.tags() if not line or tag.startswith(f"{line}."))
        orders = [(order, tag) for tag in tags if (order := order_of_tag(tag)) is not None]
        highest = [tag for _, tag in sorted(orders, reverse=True)[:LOOKED_AT_MAX]]
        return next((tag for tag in highest if client.digest_of(tag) == digest), None)

    def _moving(self, client: OCIClient, version: str, tags: tuple[str, ...], digest: str) -> tuple[str, ...]:
        """The moving tags that name an image."""
        moving = moving_tags(tags, version)[:LOOKED_AT_MAX]
        return tuple(tag for tag in moving if client.digest_of(tag) == digest)
