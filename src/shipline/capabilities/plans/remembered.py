"""A plan that was expensive to make, kept beside git's own files until anything that it came from is another.

The key says all that a plan comes from: the commit, every tag with what it points to, what people set, and this version
of Shipline. So a rewritten history or a moved tag finds nothing, and neither does a file that is broken, which
is as good as none. Safe to delete at any time.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Any

from shipline import __version__
from shipline.domain.change import Bump, Change
from shipline.domain.release_plan import PackagePlan, ReleasePlan, RequirementEdit
from shipline.ports.repository import Repository

COMMITS_MIN = 1000
"""From how many commits on a plan is worth keeping: below, making it costs hardly more than finding it."""
BYTES_MAX = 9 << 20
NAME = "plan.json"
FORM = 4
BUMPS = tuple(place for place, each in enumerate(fields(Change)) if each.name in ("ruled", "bump"))
TUPLES = tuple(place for place, each in enumerate(fields(Change)) if each.default == ())  # JSON has lists for them.


def recall(repository: Repository, head: str, *settings: object) -> ReleasePlan | None:
    """The plan of `head` that was kept; None where there is none that can be read.

    `settings` are values whose words say all that is in them.
    """
    path = repository.private_folder() / NAME
    try:
        if path.is_symlink() or path.stat().st_size > BYTES_MAX:
            return None
        document = json.loads(path.read_bytes())
        return _read(document["plan"]) if document["key"] == _key_of(repository, head, settings) else None
    except (OSError, ValueError, TypeError, KeyError, IndexError, RecursionError):
        return None


def keep(repository: Repository, plan: ReleasePlan, *settings: object) -> None:
    """Keep a plan in the place of the one before. Where that cannot be, nothing is lost."""
    key, folder = _key_of(repository, plan.commit, settings), repository.private_folder()
    content = json.dumps({"key": key, "plan": _written(plan)}, separators=(",", ":")).encode()
    if len(content) > BYTES_MAX:
        return
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=folder, prefix=f".{NAME}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(draft).replace(folder / NAME)


def _key_of(repository: Repository, head: str, settings: tuple[object, ...]) -> str:
    # As it is: to load what makes a digest costs more than to read and compare it.
    return repr((FORM, __version__, head, repository.tag_listing(), settings))


def _written(plan: ReleasePlan) -> list[Any]:
    return [plan.commit, [_row(each) for each in plan.packages], plan.notes]


def _row(plan: PackagePlan) -> list[Any]:
    fields = [getattr(plan, name) for name in PackagePlan.__slots__]
    changes = [[getattr(change, name) for name in Change.__slots__] for change in plan.changes]
    edits = [[getattr(edit, name) for name in RequirementEdit.__slots__] for edit in plan.requirements]
    kept = dict(zip(PackagePlan.__slots__, fields, strict=True)) | {"changes": changes, "requirements": edits}
    return list(kept.values())


def _read(document: Any) -> ReleasePlan:
    commit, packages, notes = document
    return ReleasePlan(commit, tuple(_package(row) for row in packages), tuple(notes))


def _package(row: list[Any]) -> PackagePlan:
    given = dict(zip(PackagePlan.__slots__, row, strict=True))
    given["bump"] = Bump(given["bump"])
    given["changes"] = tuple(_change(each) for each in given["changes"])
    given["requirements"] = tuple(RequirementEdit(*each) for each in given["requirements"])
    given["reasons"], given["changesets"] = tuple(given["reasons"]), tuple(given["changesets"])
    return PackagePlan(**given)


def _change(row: list[Any]) -> Change:
    for place in TUPLES:
        row[place] = tuple(row[place])
    for place in BUMPS:
        if row[place] is not None:
            row[place] = Bump(row[place])
    return Change(*row)
