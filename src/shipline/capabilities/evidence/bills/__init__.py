"""Bills of materials that Shipline writes itself: what a built package needs, as CycloneDX 1.6 and as SPDX 2.3."""
