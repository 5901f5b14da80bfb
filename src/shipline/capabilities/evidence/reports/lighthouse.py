"""Lighthouse's JSON (`--output=json`, versions 6 to 13): what it says about one page.

Source: https://github.com/GoogleChrome/lighthouse/blob/main/types/lhr/lhr.d.ts

The summary is `{"performance", "accessibility", "best_practices", "seo", "over_budget"}`: scores from 0 to 100, None
where the category was not run or could not be scored, and how many budgets were exceeded (`performance-budget` and
`timing-budget`, which Lighthouse had until version 11; None where there is neither). An item is
`{"kind", "name", "value", "unit", "score"}`: `category` with its score, `metric` with what was measured, `budget` with
what it was exceeded by, or 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shipline.capabilities.evidence.reports.report import Report
from shipline.capabilities.evidence.reports.shape import object_of, objects_of, optional_number_in, text_in
from shipline.domain.codec import JSON
from shipline.domain.errors import InvalidValue
from shipline.domain.evidence import EvidenceKind

FORMAT = "lighthouse"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
_METRICS = (
    "first-contentful-paint",
    "largest-contentful-paint",
    "total-blocking-time",
    "cumulative-layout-shift",
    "speed-index",
    "interactive",
    "server-response-time",
    "total-byte-weight",
)
_BUDGETS = ("performance-budget", "timing-budget")
_OVER = ("sizeOverBudget", "countOverBudget", "overBudget")


def read_lighthouse(document: JSON) -> Report:
    """Read a result. Raises InvalidValue where Lighthouse could not load the page, or nothing was scored."""
    result = object_of(document, "the Lighthouse report")
    error = result.get("runtimeError")
    if isinstance(error, dict) and error.get("code", "NO_ERROR") != "NO_ERROR":
        raise InvalidValue("Lighthouse could not look at the page", why=str(error.get("message", ""))[:200])
    categories = object_of(result.get("categories"), "'categories' of the Lighthouse report")
    audits = object_of(result.get("audits"), "'audits' of the Lighthouse report")
    items = [*_categories(categories), *_metrics(audits)]
    scores = {item["name"]: item["score"] for item in items if item["kind"] == "category"}
    if all(score is None for score in scores.values()):
        raise InvalidValue("the Lighthouse report has no score")
    budgets = list(_budgets(audits))
    measured = any(name in audits for name in _BUDGETS)
    summary = {
        **{name.replace("-", "_"): scores.get(name) for name in CATEGORIES},
        "over_budget": sum(item["value"] > 0 for item in budgets) if measured else None,
    }
    return Report(EvidenceKind.LIGHTHOUSE, FORMAT, FORMAT, summary, (*items, *budgets))


def _categories(categories: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name, found in categories.items():
        score = _score(object_of(found, f"the category {name[:40]}"), name)
        yield _item("category", name, None if score is None else score, "points", score)


def _metrics(audits: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in _METRICS:
        audit = audits.get(name)
        if isinstance(audit, dict):
            value = optional_number_in(audit, "numericValue", name)
            if value is not None:
                yield _item("metric", name, value, text_in(audit, "numericUnit", name, default=""), _score(audit, name))


def _budgets(audits: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in _BUDGETS:
        details = object_of(audits.get(name) or {}, name).get("details")
        rows = object_of(details or {}, f"'details' of {name}").get("items") or []
        for row in objects_of(rows, f"the budgets of {name}"):
            label = text_in(row, "label", name, default="") or text_in(row, "metric", name, default="")
            yield _item("budget", f"{name} {label[:200]}", max(_over(row, field) for field in _OVER), "", None)


def _over(row: dict[str, Any], field: str) -> float:
    """By how much a budget is exceeded; counts are written as text (`3 requests`), which says that it is."""
    if isinstance(row.get(field), str):
        return 1.0
    if isinstance(row.get(field), dict):  # `{"type": "numeric", "value": 12}`, in some versions.
        row, field = row[field], "value"
    return max(0.0, optional_number_in(row, field, "a budget") or 0.0)


def _score(parent: dict[str, Any], name: str) -> float | None:
    score = optional_number_in(parent, "score", name)
    if score is not None and not 0.0 <= score <= 1.0:
        raise InvalidValue(f"the score of {name[:80]} does not lie between 0 and 1")
    return None if score is None else round(100.0 * score, 6)


def _item(kind: str, name: str, value: float | None, unit: str, score: float | None) -> dict[str, Any]:
    return {"kind": kind, "name": name, "value": value, "unit": unit, "score": score}
