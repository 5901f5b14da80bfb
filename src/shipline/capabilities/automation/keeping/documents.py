"""What is printed for programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shipline.capabilities.automation.keeping.rules import Difference, Plan
from shipline.capabilities.automation.keeping.usecases import Kept


def plan_document(plan: Plan, carried: Iterable[Kept] = ()) -> dict[str, Any]:
    """`shipline.settings-plan/1`. `carried` is what came of it, empty where nothing was to be done."""
    return {
        "schema": "shipline.settings-plan/1",
        "changes": [_difference(each) for each in plan.changes],
        "removals": [_difference(each) for each in plan.removals],
        "strangers": [{"kind": kind.value, "name": name} for kind, name in plan.strangers],
        "left_out": list(plan.left_out),
        "unread": [{"kind": each.kind.value, "why": each.why} for each in plan.unread],
        "carried": [
            {
                "kind": each.difference.kind.value,
                "name": each.difference.name,
                "action": each.difference.action.value,
                "done": not each.trouble,
                "trouble": each.trouble,
                "todo": each.todo,
            }
            for each in carried
        ],
    }


def _difference(difference: Difference) -> dict[str, Any]:
    return {
        "kind": difference.kind.value,
        "name": difference.name,
        "action": difference.action.value,
        "fields": [{"name": each.name, "before": each.before, "after": each.after} for each in difference.fields],
    }
