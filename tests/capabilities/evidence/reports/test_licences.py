"""What people call a licence, as an SPDX expression or as nothing; and malformed documents that measure or list."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shipline.capabilities.evidence.reports import read_report_bytes
from shipline.capabilities.evidence.reports.licences import Licensed, normalized
from shipline.domain.errors import InvalidValue


@pytest.mark.parametrize(
    ("stated", "licence", "status"),
    [
        ("mit or apache-2.0", "MIT OR Apache-2.0", "known"),
        ("(MIT)", "MIT", "known"),
        ("MIT License", "MIT", "known"),
        ("Apache License, Version 2.0", "Apache-2.0", "known"),
        ("GPL-2.0+", "GPL-2.0-or-later", "known"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0", "known"),
        ("LicenseRef-ours AND MIT", "LicenseRef-ours AND MIT", "known"),
        ("BSD License", None, "unclear"),
        ("Apache Software License; BSD License", None, "unclear"),
        ("UNLICENSED", None, "unclear"),
        ("SEE LICENSE IN LICENSE.md", None, "unclear"),
        ("MIT AND", None, "unclear"),
        ("LicenseRef-ours MIT", None, "unclear"),
        ("( and __ and LicenseRef-a LicenseRef-b", None, "unclear"),
        ("MIT AND ()", None, "unclear"),
        ("(" * 400, None, "unclear"),
        ("MIT " * 1000, None, "unclear"),
        ("<script>", None, "unclear"),
        ("", None, "unknown"),
        ("UNKNOWN", None, "unknown"),
        ("NOASSERTION", None, "unknown"),
    ],
)
def test_what_is_stated_is_normalized_and_not_guessed(stated: str, licence: str | None, status: str) -> None:
    """Only what means one licence is one."""
    assert normalized(stated) == licence
    assert Licensed("a", "1", stated).status == status


@pytest.mark.parametrize(
    ("form", "document", "words"),
    [
        ("hyperfine", {"results": []}, "no benchmark"),
        ("hyperfine", {"results": [{"command": "a", "mean": 1, "exit_codes": [0, 1]}]}, "failed while"),
        ("hyperfine", {"results": [{"command": "a", "mean": "1"}]}, "no number"),
        ("hyperfine", {"results": [{"command": "a", "mean": 1, "stddev": -1}]}, "below 0"),
        ("hyperfine", {"results": [{"command": "a", "mean": 1}] * 2}, "two benchmarks"),
        ("customSmallerIsBetter", [{"name": "a", "unit": "s"}], "no 'value'"),
        ("customSmallerIsBetter", [{"name": "a", "unit": "s", "value": 1e200}], "no number"),
        ("", [{"name": "a", "unit": "s", "value": 1}], "--format customSmallerIsBetter"),
        ("google-benchmark", {"benchmarks": [{"name": "a", "aggregate_name": "median"}]}, "neither runs nor a mean"),
        ("esbuild", {"outputs": {}}, "no size"),
        ("esbuild", {"outputs": {"a": {"bytes": 1.5}}}, "no count"),
        ("webpack", {"errors": [{"message": "no loader"}], "assets": []}, "build failed"),
        ("webpack", {"children": [{"errors": [{"message": "no loader"}]}]}, "build failed"),
        ("size-limit", [{"name": "a", "running": 1.5}], "no size"),
        ("lighthouse", {"runtimeError": {"code": "NO_FCP", "message": "blank"}}, "could not look"),
        ("lighthouse", {"categories": {"seo": {"score": None}}, "audits": {}}, "no score"),
        ("lighthouse", {"categories": {"seo": {"score": 7}}, "audits": {}}, "between 0 and 1"),
        ("playwright-json", {"suites": [], "stats": {"expected": 1}}, "incomplete"),
        ("pip-licenses", [{"License": "MIT"}], "'Name' of a package is no text"),
        ("license-checker", {"a@1": {"licenses": [1]}}, "neither a text nor a list"),
        ("cyclonedx-json", {"bomFormat": "CycloneDX", "vulnerabilities": []}, "no component"),
        ("spdx-json", {"spdxVersion": "SPDX-2.3", "packages": [1]}, "no object"),
        ("spdx3-json", {"@graph": [{"type": "Tool"}]}, "no component"),
    ],
)
def test_what_cannot_be_counted_is_refused(form: str, document: Any, words: str) -> None:
    """Never silently partial: what was not measured is no measurement of 0."""
    with pytest.raises(InvalidValue) as caught:
        read_report_bytes(json.dumps(document).encode(), format_name=form)
    assert words in caught.value.diagnosis()


@pytest.mark.parametrize(
    ("form", "text", "words"),
    [
        ("jacoco", "<report/>", "no line at all"),
        ("jacoco", "<html/>", "starts with <report>"),
        ("jacoco", '<report><sourcefile name="a"><line ci="1"/></sourcefile></report>', "lacks its number"),
        (
            "jacoco",
            '<report><sourcefile><line nr="1" ci="1"/><counter type="LINE" missed="1" covered="1"/></sourcefile>',
            "counts more than it lists",
        ),
        ("clover", "<coverage/>", "no line at all"),
        ("clover", '<coverage><file name="a"><line count="1"/></file></coverage>', "lacks its number"),
        ("cyclonedx-xml", "<bom><components/></bom>", "no component"),
        ("cyclonedx-xml", "<html/>", "starts with <bom>"),
        ("spdx-tag-value", "SPDXVersion: SPDX-2.3\nPackageName: a\n???", "no line of an SPDX"),
        ("spdx-tag-value", "SPDXVersion: SPDX-2.3\nPackageName: a\nExtractedText: <text>a", "cut off"),
    ],
)
def test_what_is_cut_off_or_something_else_is_refused(form: str, text: str, words: str) -> None:
    """Markup and tags, too."""
    with pytest.raises(InvalidValue, match=words):
        read_report_bytes(text.encode(), format_name=form)


def test_budgets_of_older_lighthouse_are_counted() -> None:
    """A size and a count that are exceeded in one row are one budget; one that is kept is none."""
    rows = [
        {"label": "Script", "sizeOverBudget": 120, "countOverBudget": "3 requests"},
        {"label": "Total", "sizeOverBudget": None},
    ]
    audits = {"performance-budget": {"details": {"items": rows}}}
    document = {"lighthouseVersion": "9", "categories": {"seo": {"score": 1}}, "audits": audits}
    report = read_report_bytes(json.dumps(document).encode())
    assert report.summary["over_budget"] == 1
    assert [(item["name"], item["value"]) for item in report.items if item["kind"] == "budget"] == [
        ("performance-budget Script", 120.0),
        ("performance-budget Total", 0.0),
    ]


def test_many_measurements_are_thinned_evenly() -> None:
    """Their number, mean and deviation stay those of all."""
    result = {"command": "a", "mean": 1, "stddev": 0.5, "times": list(range(2500))}
    (item,) = read_report_bytes(json.dumps({"results": [result]}).encode()).items
    assert item["count"] == 2500
    assert item["samples"] == list(range(0, 2500, 3))


def test_components_in_components_count() -> None:
    """In JSON and in XML; tools and the product itself do not."""
    inner = {"name": "inner", "licenses": [{"license": {"id": "MIT"}}, {"license": {"name": "ISC"}}]}
    document = {"bomFormat": "CycloneDX", "components": [{"name": "outer", "group": "g", "components": [inner]}]}
    report = read_report_bytes(json.dumps(document).encode())
    assert [(item["name"], item["licence"]) for item in report.items] == [("g/outer", None), ("inner", "MIT AND ISC")]
    licences = "<licenses><license><id>MIT</id></license><license><name>ISC</name></license></licenses>"
    product = "<metadata><tools><tool><name>t</name></tool></tools><component><name>p</name></component></metadata>"
    xml = (
        f"<bom>{product}<components><component><group>g</group><name>outer</name><components><component>"
        f"<name>inner</name>{licences}</component></components></component></components></bom>"
    )
    found = read_report_bytes(xml.encode())
    assert found.tool == "t"
    assert {(item["name"], item["licence"]) for item in found.items} == {("g/outer", None), ("inner", "MIT AND ISC")}
