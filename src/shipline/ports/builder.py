"""The Builder port: source in, artifacts out."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from shipline.domain.artifact import Artifact
from shipline.domain.package import Package


class Builder(Protocol):
    """Builds what an ecosystem publishes."""

    api_version: int

    def build(
        self, source: Path, package: Package, version: str, *, output: Path, source_date_epoch_s: int
    ) -> tuple[Artifact, ...]:
        """Build `package` from the clean tree `source` into the empty folder `output`.

        Reproducible for the same source and epoch where the ecosystem allows it. Refuses (ShiplineError) artifacts
        whose own metadata states another version. May be called again after a crash with an emptied `output`.
        """
        ...
