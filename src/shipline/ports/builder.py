"""The Builder port: source in, artifacts out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shipline.domain.artifact import Artifact
from shipline.domain.package import Package

API_VERSION = 1


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What is to be built: `package` at `version`, from `commit`.

    `source_date_epoch_s` is the one time that artifacts may carry, in seconds
    (https://reproducible-builds.org/specs/source-date-epoch/).
    """

    package: Package
    version: str
    commit: str
    source_date_epoch_s: int


class Builder(Protocol):
    """Builds what an ecosystem publishes.

    `ecosystem` is that whose packages it builds unasked, "" where the settings must name it. `kinds` are the kinds of
    artifact that it makes.
    """

    api_version: int
    ecosystem: str
    kinds: tuple[str, ...]

    asks_git: bool
    """True if its tools may ask git for the version: the source then has a `.git` with the release's tag alone. Other
    builders may take all that is in the tree, and find none."""

    def build(self, request: BuildRequest, *, source: Path, output: Path) -> tuple[Artifact, ...]:
        """Build from the clean tree `source`, the repository's top, into the empty folder `output`.

        Reproducible for the same source and request where the ecosystem allows it. Refuses (ShiplineError) artifacts
        whose own metadata states another version. May be called again after a crash with an emptied `output`.
        """
        ...
