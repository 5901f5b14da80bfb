"""Retention: what of a project's stored files and rows has been kept long enough, and removing it, on record.

Never removed: events, evidence bundles, signed statements, rows of releases; and what something still needs: files of a
release that is not public, that has no bundle, that an environment serves or would go back to, or that is its package's
newest.
"""

from shipline.capabilities.releases.retention.rules import Held, Keep, Removal, due
from shipline.capabilities.releases.retention.usecases import RetentionPlan, apply_retention, plan_retention

__all__ = ["Held", "Keep", "Removal", "RetentionPlan", "apply_retention", "due", "plan_retention"]
