"""The public JSON of a plan."""

from __future__ import annotations

from typing import Any

from shipline.capabilities.plans.moments import rfc3339
from shipline.domain.change import Change
from shipline.domain.release_plan import PackagePlan, ReleasePlan, RequirementEdit

SCHEMA = "shipline.plan/1"


def plan_document(plan: ReleasePlan) -> dict[str, Any]:
    """The plan as plain JSON data, schema `shipline.plan/1`. Nothing to release: `next` equals `current`."""
    return {"schema": SCHEMA, "packages": [_package(package) for package in plan.packages], "notes": list(plan.notes)}


def _package(plan: PackagePlan) -> dict[str, Any]:
    return {
        "name": plan.name,
        "path": plan.path,
        "current": plan.current,
        "next": plan.next,
        "bump": plan.bump.value,
        "tag": plan.tag,
        "channel": plan.channel,
        "reasons": list(plan.reasons),
        "changes": [_change(change) for change in plan.changes],
        "requirements": [_requirement(edit) for edit in plan.requirements],
        "changesets": list(plan.changesets),
    }


def _requirement(edit: RequirementEdit) -> dict[str, Any]:
    return {
        "path": edit.path,
        "package": edit.package,
        "version": edit.version,
        "before": edit.before,
        "after": edit.after,
        "peer": edit.peer,
        "broken": edit.broken,
        "development": edit.development,
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "oid": change.commit,
        "type": change.type,
        "scope": change.scope,
        "description": change.description,
        "breaking": change.breaking,
        "notes": list(change.breaking_notes),
        "upgrade_notes": list(change.upgrade_notes),
        "refs": list(change.references),
        "reverts": list(change.reverts),
        "author": change.author,
        "co_authors": list(change.co_authors),
        "time": rfc3339(change.time_us) if change.is_commit else None,
    }
