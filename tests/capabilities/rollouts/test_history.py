"""The history of an analysis is bounded, and it is its end that counts."""

from __future__ import annotations

import json
from dataclasses import replace

from sqlalchemy import insert

from shipline.capabilities.rollouts.observing.history import POINTS, POINTS_MAX, AnalysisPoint, analysis_of
from shipline.domain.codec import to_json
from shipline.store.database import Store
from shipline.store.tables import observation

POINT = AnalysisPoint("rol_1-0", "rol_1", 0, 1, 0.1, 10, 0, 10, 0, 1.0, "continue", "")


def test_the_last_looks_of_a_long_rollout_are_the_ones_that_are_kept_in_sight(sqlite_url: str) -> None:
    store = Store(sqlite_url).open()
    body = json.dumps(to_json(POINT))
    row = {"organisation_id": store.project.organisation_id, "project_id": store.project.id, "body": body}
    row |= {"rollout_id": "rol_1"}
    with store.begin() as tx:
        many = [row | {"id": f"rol_1-{number}", "number": number} for number in range(POINTS_MAX)]
        tx.connection.execute(insert(observation), many)
        last = replace(POINT, id="rol_1-last", number=POINTS_MAX)
        POINTS.save(tx, last)
        found = analysis_of(tx, "rol_1")
    store.close()
    assert len(found) == POINTS_MAX
    assert found[-1] == last
