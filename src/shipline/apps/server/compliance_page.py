"""What a release keeps of a framework as one page, for whoever is handed a file: it needs no other."""

from __future__ import annotations

from shipline.apps.server.rendering import STATIC, render, templates
from shipline.capabilities.gates import Coverage
from shipline.domain.release import Release
from shipline.ports.clock import Clock


def compliance_page(release: Release, coverage: Coverage, clock: Clock) -> str:
    """The page's text. Styles stand in it, and nothing is loaded from elsewhere."""
    style = (STATIC / "shipline.css").read_text("utf-8")
    made = templates(clock, project=release.package)
    context = {"release": release, "coverages": (coverage,), "style": style, "now_us": clock.now_us()}
    return str(render(made, "compliance.html", **context))
