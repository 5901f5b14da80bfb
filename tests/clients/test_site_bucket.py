"""Media types of a site's files, which no machine's own tables change."""

from __future__ import annotations

import pytest

from shipline.clients.site_bucket import type_of


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a/index.html", "text/html; charset=utf-8"),
        ("style.CSS", "text/css; charset=utf-8"),
        ("a.svg", "image/svg+xml"),
        ("font.woff2", "font/woff2"),
        ("feed.json", "application/json"),
        ("CNAME", "application/octet-stream"),
        ("what.is-this", "application/octet-stream"),
    ],
)
def test_a_file_is_served_as_what_its_name_says(name: str, kind: str) -> None:
    assert type_of(name) == kind
