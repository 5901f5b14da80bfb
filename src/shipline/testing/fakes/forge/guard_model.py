"""What a forge knows of what guards a repository."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shipline.ports.forge.guards import BranchRule, EnvironmentRule, SecurityFeature
from shipline.ports.forge.reviews import MergeMethod
from shipline.testing.fakes.forge.refusals import Refused


@dataclass
class Guards:
    """Rules by pattern, the methods of merging, variables and secrets by name; tag rules have numbers."""

    branches: dict[str, BranchRule] = field(default_factory=dict)
    tags: dict[str, int] = field(default_factory=dict)
    methods: set[MergeMethod] = field(default_factory=lambda: set(MergeMethod))
    delete_branch: bool = False
    security: set[SecurityFeature] = field(default_factory=set)
    environments: dict[str, int] = field(default_factory=dict)
    environment_rules: dict[str, EnvironmentRule] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    def new(self, known: dict[str, Any], name: str) -> None:
        """Refuse a second one of a name."""
        if name in known:
            raise Refused("duplicate", f"{name} already exists")

    def old(self, known: dict[str, Any], name: str) -> None:
        """Refuse what is not there."""
        if name not in known:
            raise Refused("missing", "Not Found")

    def drop(self, known: dict[str, Any], name: str) -> None:
        """Take one away."""
        self.old(known, name)
        del known[name]
