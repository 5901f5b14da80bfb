"""What the containers of a version are made from: settings, or a service of a Compose file. Pure but for reading it.

Of a Compose file (the Compose Specification, compose-spec.io) a bounded part is understood. What Shipline decides by
itself is passed over; anything else is refused, since a container without it would not be the one that was meant.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml  # type: ignore[import-untyped]  # it ships no types

from shipline.domain.errors import ConfigurationError
from shipline.providers.target.compose_parts import Health, health_of, labels_of, network_of

COMPOSE_BYTES_MAX = 256 << 10
TAKEN = (
    "image",
    "command",
    "entrypoint",
    "environment",
    "volumes",
    "user",
    "working_dir",
    "read_only",
    "init",
    "expose",
    "networks",
    "labels",
    "healthcheck",
)
DECIDED_HERE = ("build", "container_name", "restart", "ports", "stop_grace_period")
P = TypeVar("P")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
VOLUME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}:/[^:\x00-\x1f]{0,500}(:ro|:rw)?")
REPOSITORY = re.compile(
    r"(?:[a-z0-9.-]+(?::[0-9]{1,5})?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+){0,40}", re.ASCII
)  # OCI distribution specification 1.1, "Pulling manifests", with a host before it.


@dataclass(frozen=True, slots=True)
class Template:
    """A container but for its image's digest and its address. `port` is what it listens on, 0 where nobody says, and
    `network` that of the engine which it is in, "" where nobody says. `health` is None where the image's own counts.

    `given` comes over `environment`, and nothing is filled in there: it may hold secrets.
    """

    image: str = ""
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    environment: tuple[tuple[str, str], ...] = ()
    volumes: tuple[str, ...] = ()
    user: str = ""
    working_dir: str = ""
    read_only: bool = False
    init: bool = False
    port: int = 0
    network: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    health: Health | None = None
    given: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def read_compose(root: Path, name: str, service: str) -> Template:
    """The template that a service of the Compose file `name`, below `root`, is. Raises ConfigurationError."""
    path = root / name
    try:
        if not path.resolve().is_relative_to(root.resolve()):
            raise ConfigurationError(f"compose_file: {name[:80]!r} lies outside of the repository")
        with path.open("rb") as file:
            text = file.read(COMPOSE_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigurationError(f"compose_file: {name[:80]!r} cannot be read", why=error.strerror or "") from None
    if len(text) > COMPOSE_BYTES_MAX:
        raise ConfigurationError(f"compose_file: {name[:80]!r} is larger than {COMPOSE_BYTES_MAX} bytes")
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigurationError(f"{name} is not YAML", why=str(error)[:300]) from None
    return template_of(document, service, where=name)


def template_of(document: Any, service: str, *, where: str) -> Template:
    """The template that a service of a Compose document is. Raises ConfigurationError."""
    services = document.get("services") if isinstance(document, dict) else None
    if not isinstance(services, dict) or not isinstance(services.get(service), dict):
        known = ", ".join(sorted(str(one)[:60] for one in services)) if isinstance(services, dict) else "none"
        raise ConfigurationError(f"{where} has no service {service[:60]!r}", todo=f"known ones: {known}")
    table, place = services[service], f"{where}, service {service[:60]}"
    unknown = sorted(str(key) for key in table if key not in TAKEN and key not in DECIDED_HERE)
    if unknown:
        raise ConfigurationError(
            f"{place}: {unknown[0][:60]!r} is not understood",
            why="a container without it would not be the one that is meant",
            todo=f"leave it out; understood: {', '.join(TAKEN)}; decided by Shipline: {', '.join(DECIDED_HERE)}",
        )
    reader = _Reader(place, table)
    return Template(
        image=without_tag(reader.text("image")),
        command=reader.words("command"),
        entrypoint=reader.words("entrypoint"),
        environment=tuple(reader.pairs("environment").items()),
        volumes=reader.volumes(),
        user=reader.text("user"),
        working_dir=reader.text("working_dir"),
        read_only=reader.flag("read_only"),
        init=reader.flag("init"),
        port=reader.port(),
        network=reader.part(lambda: network_of(table.get("networks", []), document.get("networks"))),
        labels=reader.part(lambda: labels_of(reader.pairs("labels"))),
        health=reader.part(lambda: health_of(table["healthcheck"]) if "healthcheck" in table else None),
    )


def without_tag(image: str) -> str:
    """The repository of an image's name: which bytes of it are run, the release says."""
    name, _, _ = image.partition("@")
    host, slash, rest = name.rpartition("/")
    return host + slash + rest.partition(":")[0]


def checked_volumes(volumes: tuple[str, ...], *, hosts: bool) -> tuple[str, ...]:
    """Return them if each is `NAME:/PATH`, or with `hosts` `/PATH:/PATH`; raise ConfigurationError otherwise."""
    for volume in volumes:
        path, _, rest = volume.partition(":")
        is_host_s = hosts and path.startswith("/") and VOLUME.fullmatch(f"x:{rest}") is not None
        if not VOLUME.fullmatch(volume) and not is_host_s:
            raise ConfigurationError(
                f"volumes: {volume[:80]!r} is not taken", todo="write NAME:/PATH" + (" or /PATH:/PATH" if hosts else "")
            )
    return volumes


@dataclass(frozen=True, slots=True)
class _Reader:
    place: str
    table: Mapping[str, Any]

    def text(self, key: str) -> str:
        value = self.table.get(key, "")
        return self._plain(key, str(value) if isinstance(value, int) and not isinstance(value, bool) else value)

    def flag(self, key: str) -> bool:
        value = self.table.get(key, False)
        if not isinstance(value, bool):
            raise self._wrong(key, "is true or false")
        return value

    def words(self, key: str) -> tuple[str, ...] | None:
        value = self.table.get(key)
        if value is None:
            return None
        if isinstance(value, str):
            try:
                return tuple(shlex.split(self._plain(key, value)))
            except ValueError as error:
                raise self._wrong(key, f"cannot be split into words: {error}") from None
        if not isinstance(value, list):
            raise self._wrong(key, "is a text or a list of texts")
        return tuple(self._plain(key, word) for word in value)

    def pairs(self, key: str) -> dict[str, str]:
        """A table, or a list of NAME=VALUE."""
        value = self.table.get(key, {})
        if isinstance(value, list):
            split = [self._plain(key, line).partition("=") for line in value]
            if not all(sign for _, sign, _ in split):
                raise self._wrong(key, "takes NAME=VALUE; nothing is handed down from Shipline's own")
            return {name: text for name, _, text in split}
        if not isinstance(value, dict):
            raise self._wrong(key, "is a table or a list of NAME=VALUE")
        return {str(name): self._scalar(key, item) for name, item in value.items()}

    def volumes(self) -> tuple[str, ...]:
        value = self.table.get("volumes", [])
        if not isinstance(value, list):
            raise self._wrong("volumes", "is a list")
        texts = tuple(self._plain("volumes", volume) for volume in value)
        try:
            return checked_volumes(texts, hosts=False)
        except ConfigurationError as error:
            raise ConfigurationError(
                f"{self.place}: {error.what}",
                why="only shipline.toml, as the protected branch has it, hands over a folder of this machine",
                todo="name a volume (NAME:/PATH) there, or the folder under `volumes` in shipline.toml",
            ) from None

    def part(self, read: Callable[[], P]) -> P:
        """What is read, with the place in what it complains of."""
        try:
            return read()
        except ConfigurationError as error:
            what = error.what if error.what.startswith(self.place) else f"{self.place}: {error.what}"
            raise ConfigurationError(what, why=error.why, todo=error.todo) from None

    def port(self) -> int:
        value = self.table.get("expose", [])
        ports = [str(one) for one in value] if isinstance(value, list) else ["?"]
        if len(ports) > 1 or not all(re.fullmatch(r"[0-9]{1,5}", port) for port in ports):
            raise self._wrong("expose", "names one port")
        return int(ports[0]) if ports else 0

    def _scalar(self, key: str, value: Any) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if value is None:
            raise self._wrong(key, "has a value for each name; nothing is handed down from Shipline's own")
        return self._plain(key, str(value) if isinstance(value, int | float) else value)

    def _plain(self, key: str, value: Any) -> str:
        """A text in which nothing is to be filled in; `$$` is a dollar."""
        if not isinstance(value, str):
            raise self._wrong(key, "is not a text")
        if "$" in value.replace("$$", ""):
            raise self._wrong(key, "has a ${…}, which is not filled in here: write $$ for a dollar")
        return value.replace("$$", "$")

    def _wrong(self, key: str, what: str) -> ConfigurationError:
        return ConfigurationError(f"{self.place}: {key} {what}")
