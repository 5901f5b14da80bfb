"""Sizes as bundlers write them: esbuild's metafile, webpack's stats, and what size-limit prints with `--json`.

Sources: https://esbuild.github.io/api/#metafile, https://webpack.js.org/api/stats/, size-limit 11 to 13.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shipline.capabilities.evidence.reports.report import Report
from shipline.capabilities.evidence.reports.shape import count_of, object_of, objects_of, text_in
from shipline.capabilities.evidence.reports.sizes import Size, size_report
from shipline.domain.codec import JSON
from shipline.domain.errors import InvalidValue

ESBUILD = "esbuild"
WEBPACK = "webpack"
SIZE_LIMIT = "size-limit"


def read_esbuild(document: JSON) -> Report:
    """Every output, in bytes as written, not compressed."""
    outputs = object_of(object_of(document, "the metafile").get("outputs"), "'outputs' of the metafile")
    sizes = [
        Size(name, count_of(object_of(output, f"the output {name[:80]}"), "bytes", name))
        for name, output in outputs.items()
    ]
    return size_report(sizes, tool=ESBUILD, format_name=ESBUILD)


def read_webpack(document: JSON) -> Report:
    """Every asset and what belongs to it, of each compiler where there are several. `over_limit` is what webpack's own
    performance hints say. Stats of a build that failed are refused."""
    sizes = list(_assets(object_of(document, "the stats")))
    return size_report(sizes, tool=WEBPACK, format_name=WEBPACK)


def _assets(stats: dict[str, Any]) -> Iterator[Size]:
    errors = stats.get("errors") or []
    if errors:
        first = errors[0].get("message") if isinstance(errors, list) and isinstance(errors[0], dict) else None
        raise InvalidValue("webpack's build failed, so its sizes are of no use", why=str(first or "")[:200])
    if "assets" not in stats:  # Of several compilers, each is a child.
        for child in objects_of(stats.get("children"), "'children' of the stats"):
            if "assets" in child or child.get("errors"):
                yield from _assets(child)
        return
    for asset in objects_of(stats["assets"], "'assets' of the stats"):
        if asset.get("name") is None:
            raise InvalidValue("the stats group their assets", todo="let webpack write all: stats.all, or --json")
        yield _asset(asset)
        for related in objects_of(asset.get("related") or [], "'related' of an asset"):
            yield _asset(related)


def _asset(asset: dict[str, Any]) -> Size:
    name = text_in(asset, "name", "an asset")
    return Size(name, count_of(asset, "size", name), over_limit=asset.get("isOverSizeLimit") is True)


def read_size_limit(document: JSON) -> Report:
    """Every check that has a size, compressed as its configuration says. Times (`running`) are no sizes."""
    checks = objects_of(document, "size-limit's report")
    sizes = [_check(check) for check in checks if check.get("size") is not None]
    return size_report(sizes, tool=SIZE_LIMIT, format_name=SIZE_LIMIT)


def _check(check: dict[str, Any]) -> Size:
    name = text_in(check, "name", "a check of size-limit")
    limit = count_of(check, "sizeLimit", name) if check.get("sizeLimit") is not None else None
    return Size(name, count_of(check, "size", name), limit, over_limit=check.get("passed") is False)
