"""What a service of a Compose file says of its network, its labels and its health check, as values. Pure.

From: the Compose Specification (compose-spec.io), "networks", "labels" and "healthcheck", and "Specifying durations".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shipline.domain.errors import ConfigurationError

NETWORK = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
# A network of the machine itself, or none: those are not for a file of the commit to choose.
NETWORKS_OF_THE_MACHINE = frozenset({"host", "none"})
LABELS_MAX, LABEL_CHARACTERS_MAX = 100, 4000
OURS = "shipline."
NANOSECONDS = {"h": 3_600_000_000_000, "m": 60_000_000_000, "s": 1_000_000_000, "ms": 1_000_000, "us": 1_000}
DURATION = re.compile(r"(?:\d{1,9}(?:\.\d{1,9})?(?:ms|us|h|m|s))+", re.ASCII)
STEP = re.compile(r"(\d+(?:\.\d+)?)(ms|us|h|m|s)", re.ASCII)
HEALTH_KEYS = ("test", "interval", "timeout", "retries", "start_period", "disable")
RETRIES_MAX = 1000
TEST_WORDS_MAX = 100


@dataclass(frozen=True, slots=True)
class Health:
    """How the engine itself looks whether a container is well. `test` begins with CMD, CMD-SHELL or NONE; 0 is what the
    engine or the image has."""

    test: tuple[str, ...] = ()
    interval_ns: int = 0
    timeout_ns: int = 0
    start_period_ns: int = 0
    retries: int = 0


def network_of(value: Any, declared: Any) -> str:
    """The one network of a service, "" where it names none; `declared` are those at the top of the file.

    ConfigurationError for more than one, and for one that would have to be made."""
    names = list(value) if isinstance(value, list | dict) else ["?", "?"]
    details = value.values() if isinstance(value, dict) else ()
    if len(names) > 1 or not all(isinstance(name, str) for name in names) or any(details):
        raise ConfigurationError("networks names one network, without anything else about it")
    if not names:
        return ""
    table = declared.get(names[0]) if isinstance(declared, dict) else None
    if not (isinstance(table, dict) and table.get("external") is True and set(table) <= {"external", "name"}):
        raise ConfigurationError(
            f"networks: {names[0][:80]!r} is not external",
            why="networks are not made here, and what is not there cannot be joined",
            todo="create it on the engine, and write `external: true` (and its `name`) at the top of the file",
        )
    name = table.get("name", names[0])
    if not isinstance(name, str) or not NETWORK.fullmatch(name) or name in NETWORKS_OF_THE_MACHINE:
        raise ConfigurationError(
            f"networks: {str(name)[:80]!r} is not taken",
            why="only shipline.toml, as the protected branch has it, lets a container into the machine's own network",
        )
    return name


def labels_of(pairs: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The labels. ConfigurationError for too many, and for those that Shipline finds its own containers by."""
    for name, text in pairs.items():
        if not name or name.startswith(OURS) or len(name) + len(text) > LABEL_CHARACTERS_MAX:
            raise ConfigurationError(
                f"labels: {name[:80]!r} is not taken", why=f"labels that begin with {OURS} are its own"
            )
    if len(pairs) > LABELS_MAX:
        raise ConfigurationError(f"labels: {LABELS_MAX} are taken at most")
    return tuple(sorted(pairs.items()))


def health_of(table: Any) -> Health:
    """A health check. ConfigurationError for what is none."""
    if not isinstance(table, dict):
        raise ConfigurationError("healthcheck is a table")
    unknown = sorted(str(key) for key in table if key not in HEALTH_KEYS)
    if unknown:
        raise ConfigurationError(
            f"healthcheck: {unknown[0][:60]!r} is not understood", todo=f"understood: {', '.join(HEALTH_KEYS)}"
        )
    if table.get("disable", False) is not False:
        if table != {"disable": True}:
            raise ConfigurationError("healthcheck: disable stands alone, and is true or false")
        return Health(("NONE",))
    retries = table.get("retries", 0)
    if not isinstance(retries, int) or isinstance(retries, bool) or not 0 <= retries <= RETRIES_MAX:
        raise ConfigurationError(f"healthcheck: retries is 0 to {RETRIES_MAX}")
    return Health(
        test=_test(table.get("test", [])),
        interval_ns=nanoseconds(table, "interval"),
        timeout_ns=nanoseconds(table, "timeout"),
        start_period_ns=nanoseconds(table, "start_period"),
        retries=retries,
    )


def nanoseconds(table: Mapping[str, Any], key: str) -> int:
    """A duration such as 1m30s; 0 where there is none."""
    text = table.get(key, "0s")
    if not isinstance(text, str) or not DURATION.fullmatch(text):
        raise ConfigurationError(f"healthcheck: {key} is a duration, as in 1m30s")
    return sum(int(float(number) * NANOSECONDS[unit]) for number, unit in STEP.findall(text))


def _test(value: Any) -> tuple[str, ...]:
    words = ["CMD-SHELL", value] if isinstance(value, str) and value else value
    if not isinstance(words, list) or len(words) > TEST_WORDS_MAX or not all(isinstance(word, str) for word in words):
        raise ConfigurationError("healthcheck: test is a text, or a list of texts")
    is_whole = len(words) == 2 if words[:1] == ["CMD-SHELL"] else words[:1] == ["CMD"] and len(words) > 1
    if words not in ([], ["NONE"]) and not is_whole:
        raise ConfigurationError("healthcheck: test begins with CMD, CMD-SHELL or NONE")
    if any("$" in word.replace("$$", "") for word in words):
        raise ConfigurationError("healthcheck: test has a ${…}, which is not filled in here: write $$ for a dollar")
    return tuple(word.replace("$$", "$") for word in words)
