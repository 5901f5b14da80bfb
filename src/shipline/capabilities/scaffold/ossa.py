"""Manifests of agents in the form of the Open Standard for Software Agents: written, and read. Pure.

The standard's schema changes from version to version, and could not be had: what is known here is the form that public
manifests of v0.5.0 have (`apiVersion`, `kind`, `metadata`, `spec.role`, `spec.capabilities`, `extensions`). So it is a
form to exchange, and none that anything here depends on: reading takes the name of a profile of ours and the names of
its capabilities, and tells of every other key that it counts for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml  # type: ignore[import-untyped]  # it ships no types

from shipline.capabilities.scaffold.agents import Agent, agent_named
from shipline.clients.yaml_documents import read_documents
from shipline.domain.errors import InvalidValue

API_VERSION = "ossa/v0.5.0"
MANIFEST_BYTES_MAX = 64 * 1024
_VERSIONS = re.compile(r"ossa/v0\.[0-9]{1,3}(?:\.[0-9]{1,3})?")
_TAKEN = frozenset({"apiVersion", "kind", "metadata.name", "spec.capabilities"})
# What we write for others to read, and what follows from the profile.
_OURS = frozenset({"metadata.version", "metadata.description", "spec.role", "extensions.shipline"})


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was read: the agent, and the keys that count for nothing."""

    agent: Agent
    left: tuple[str, ...]


def agent_manifest(agent: Agent, version: str) -> str:
    """The manifest of an agent. `version` is that of Shipline."""
    document: dict[str, Any] = {
        "apiVersion": API_VERSION,
        "kind": "Agent",
        "metadata": {"name": agent.name, "version": version, "description": agent.purpose},
        "spec": {
            "role": agent.purpose,
            "capabilities": [{"name": one.name, "description": one.description} for one in agent.capabilities],
        },
        "extensions": {
            "shipline": {
                "commands": {one.name: one.command for one in agent.capabilities},
                "forge": sorted({need for one in agent.capabilities for need in one.needs}),
                "settings": list(agent.settings),
                "schedule": agent.schedule,
            }
        },
    }
    return str(yaml.safe_dump(document, sort_keys=False, width=120))


def read_manifest(data: bytes) -> Manifest:
    """The agent of a manifest, in YAML or JSON. InvalidValue, UnknownName for one that is none of ours."""
    documents = read_documents(data, what="the manifest", limit_bytes=MANIFEST_BYTES_MAX)
    if len(documents) != 1:
        raise InvalidValue("a manifest is one document", todo="give one manifest at a time")
    (document,) = documents
    said, kind = document.get("apiVersion"), document.get("kind")
    if not isinstance(said, str) or not _VERSIONS.fullmatch(said) or kind != "Agent":
        raise InvalidValue(
            f"this is no manifest of an agent: {str(said)[:40]!r}, {str(kind)[:40]!r}",
            todo=f'it begins with "apiVersion: {API_VERSION}" and "kind: Agent"',
        )
    name = _at(document, "metadata", "name")
    if not isinstance(name, str):
        raise InvalidValue("the manifest has no name", todo="set metadata.name")
    agent = agent_named(name).only(tuple(_names(_at(document, "spec", "capabilities"))))
    left = tuple(key for key in _keys(document) if key not in _TAKEN | _OURS)
    return Manifest(agent, left)


def _at(document: dict[str, Any], outer: str, inner: str) -> object:
    table = document.get(outer)
    return table.get(inner) if isinstance(table, dict) else None


def _names(listed: object) -> Iterator[str]:
    """The names of capabilities: each is a table with a name, or the name itself."""
    for one in listed if isinstance(listed, list) else ():
        name = one.get("name") if isinstance(one, dict) else one
        if not isinstance(name, str):
            raise InvalidValue("a capability of the manifest has no name", todo="name it, or leave it out")
        yield name


def _keys(document: dict[str, Any]) -> Iterator[str]:
    """The keys of the first two levels."""
    for outer, table in document.items():
        if isinstance(table, dict):
            yield from (f"{outer}.{inner}" for inner in table)
        else:
            yield str(outer)
