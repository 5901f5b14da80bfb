"""The rows of the formats that measure or list: more of coverage, licences, benchmarks, sizes, pages, SBOMs,
and packages that are out of date."""

from __future__ import annotations

import re
from functools import partial

from shipline.capabilities.evidence.reports import (
    benchmark_json,
    clover,
    cyclonedx,
    jacoco,
    licence_json,
    lighthouse,
    outdated,
    playwright,
    size_json,
    spdx,
)
from shipline.capabilities.evidence.reports.benchmarks import Better
from shipline.capabilities.evidence.reports.probes import Format, Marks, Probe, marks, whole_bytes, whole_json
from shipline.capabilities.evidence.reports.source import WHOLE_BYTES_MAX
from shipline.domain.evidence import EvidenceKind

_NAMED_ALONE = Probe()
"""Nothing in the document tells it, so whoever reads it says which format it is."""


def _json_row(name: str, kind: EvidenceKind, title: str, read: benchmark_json.ReadJSON, told_by: Marks) -> Format:
    return Format(name, kind, title, Probe(json=told_by), whole_json(read), WHOLE_BYTES_MAX)


COVERAGE_FORMATS = (
    Format(
        name=clover.FORMAT,
        kind=EvidenceKind.COVERAGE,
        title="Clover XML",
        probe=Probe(xml=marks("coverage/project")),
        read=whole_bytes(clover.read_clover),
        limit_bytes=WHOLE_BYTES_MAX,
    ),
    Format(
        name=jacoco.FORMAT,
        kind=EvidenceKind.COVERAGE,
        title="JaCoCo XML",
        probe=Probe(xml=marks("report/package", "report/group", "report/sessioninfo")),
        read=whole_bytes(jacoco.read_jacoco),
        limit_bytes=WHOLE_BYTES_MAX,
    ),
)
TEST_FORMATS = (
    _json_row(
        playwright.FORMAT,
        EvidenceKind.TESTS,
        "Playwright JSON",
        playwright.read_playwright,
        marks("suites stats.unexpected stats.flaky"),
    ),
)
BENCHMARK_FORMATS = (
    _json_row(
        benchmark_json.PYTEST,
        EvidenceKind.BENCHMARK,
        "pytest-benchmark JSON",
        benchmark_json.read_pytest_benchmark,
        marks("machine_info benchmarks"),
    ),
    _json_row(
        benchmark_json.HYPERFINE,
        EvidenceKind.BENCHMARK,
        "hyperfine JSON",
        benchmark_json.read_hyperfine,
        marks("results.item.command results.item.mean"),
    ),
    _json_row(
        benchmark_json.GOOGLE,
        EvidenceKind.BENCHMARK,
        "Google Benchmark JSON",
        benchmark_json.read_google_benchmark,
        marks("context.num_cpus benchmarks"),
    ),
    _json_row(
        benchmark_json.SMALLER,
        EvidenceKind.BENCHMARK,
        "customSmallerIsBetter JSON",
        partial(benchmark_json.read_custom, better=Better.SMALLER),
        (),
    ),
    _json_row(
        benchmark_json.BIGGER,
        EvidenceKind.BENCHMARK,
        "customBiggerIsBetter JSON",
        partial(benchmark_json.read_custom, better=Better.BIGGER),
        (),
    ),
    _json_row(
        benchmark_json.UNSAID,
        EvidenceKind.BENCHMARK,
        "a list of benchmarks, of which it must be named which way is better",
        benchmark_json.refuse_unsaid,
        marks("item.name item.unit item.value"),
    ),
)
SIZE_FORMATS = (
    _json_row(
        size_json.ESBUILD, EvidenceKind.SIZE, "esbuild metafile", size_json.read_esbuild, marks("inputs outputs")
    ),
    _json_row(
        size_json.WEBPACK,
        EvidenceKind.SIZE,
        "webpack stats",
        size_json.read_webpack,
        marks("assets assetsByChunkName", "assets entrypoints", "children.item.assetsByChunkName"),
    ),
    _json_row(
        size_json.SIZE_LIMIT,
        EvidenceKind.SIZE,
        "size-limit JSON",
        size_json.read_size_limit,
        marks("item.name item.size"),
    ),
)
LIGHTHOUSE_FORMATS = (
    _json_row(
        lighthouse.FORMAT,
        EvidenceKind.LIGHTHOUSE,
        "Lighthouse JSON",
        lighthouse.read_lighthouse,
        marks("lighthouseVersion"),
    ),
)
LICENCE_FORMATS = (
    Format(
        name=licence_json.PIP,
        kind=EvidenceKind.LICENCES,
        title="pip-licenses JSON",
        probe=Probe(json=marks("item.License item.Name")),
        read=licence_json.read_pip_licenses,
        limit_bytes=WHOLE_BYTES_MAX,
    ),
    Format(
        name=licence_json.NPM,
        kind=EvidenceKind.LICENCES,
        title="license-checker JSON",
        probe=_NAMED_ALONE,  # Its only names are those of packages.
        read=licence_json.read_license_checker,
        limit_bytes=WHOLE_BYTES_MAX,
    ),
    Format(
        name=cyclonedx.LICENCES_FORMAT,
        kind=EvidenceKind.LICENCES,
        title="the licences in CycloneDX JSON",
        probe=_NAMED_ALONE,  # What it is told by is an SBOM.
        read=cyclonedx.read_cyclonedx_json_licences,
    ),
)
DEPENDENCY_FORMATS = (
    _json_row(
        outdated.PIP,
        EvidenceKind.DEPENDENCIES,
        "pip list --outdated",
        outdated.read_pip_outdated,
        marks("item.latest_version item.version"),
    ),
    # Its only names are those of packages.
    _json_row(outdated.NPM, EvidenceKind.DEPENDENCIES, "npm outdated", outdated.read_npm_outdated, ()),
)
SBOM_FORMATS = (
    Format(
        name=cyclonedx.JSON_FORMAT,
        kind=EvidenceKind.SBOM,
        title="CycloneDX JSON",
        probe=Probe(json=marks("bomFormat=CycloneDX")),
        read=cyclonedx.read_cyclonedx_json,
    ),
    Format(
        name=cyclonedx.XML_FORMAT,
        kind=EvidenceKind.SBOM,
        title="CycloneDX XML",
        probe=Probe(xml=marks("bom")),
        read=cyclonedx.read_cyclonedx_xml,
    ),
    Format(
        name=spdx.JSON_FORMAT,
        kind=EvidenceKind.SBOM,
        title="SPDX 2 JSON",
        probe=Probe(json=marks("spdxVersion SPDXID")),
        read=spdx.read_spdx_json,
    ),
    Format(
        name=spdx.TAGS_FORMAT,
        kind=EvidenceKind.SBOM,
        title="SPDX 2 tags and values",
        probe=Probe(text=(re.compile(rb"\A(?:\xef\xbb\xbf)?(?:\s|#[^\n]*\n)*SPDXVersion:"),)),
        read=spdx.read_spdx_tags,
        limit_bytes=WHOLE_BYTES_MAX,
    ),
    Format(
        name=spdx.GRAPH_FORMAT,
        kind=EvidenceKind.SBOM,
        title="SPDX 3 JSON",
        probe=Probe(json=marks("@context @graph.item.spdxId")),
        read=spdx.read_spdx_graph,
        limit_bytes=WHOLE_BYTES_MAX,
    ),
)
MEASURED_FORMATS = (
    *TEST_FORMATS,
    *COVERAGE_FORMATS,
    *BENCHMARK_FORMATS,
    *SIZE_FORMATS,
    *LIGHTHOUSE_FORMATS,
    *LICENCE_FORMATS,
    *DEPENDENCY_FORMATS,
    *SBOM_FORMATS,
)
