"""A plan that was expensive to make, kept beside git's own files until anything that it came from is another.

The key says all that a plan comes from: the commit, every tag with what it points to, and this version of Shipline.
What people set stands beside it, as it was read and as they wrote it. So a rewritten history or a moved tag finds
nothing, and neither does a file that is broken, which is as good as none. Safe to delete at any time.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from shipline import __version__
from shipline.capabilities.plans.heads import checked_head
from shipline.domain.change import Bump, Change
from shipline.domain.release_plan import PackagePlan, ReleasePlan, RequirementEdit
from shipline.ports.repository import Repository

COMMITS_MIN = 1000
"""From how many commits on a plan is worth keeping: below, making it costs hardly more than finding it."""
BYTES_MAX = 9 << 20
NAME = "plan.json"
FORM = 5
BUMPS = tuple(place for place, each in enumerate(fields(Change)) if each.name in ("ruled", "bump"))
TUPLES = tuple(place for place, each in enumerate(fields(Change)) if each.default == ())  # JSON has lists for them.


class Said(NamedTuple):
    """What people said, as it is written: to read it takes longer than to find the plan again.

    `words` are values whose own words say all that is in them. `places` are the paths that the settings name: where one
    of them is not there, the settings are read again, and whoever reads them says so.
    """

    words: tuple[object, ...]
    places: tuple[Path, ...] = ()


class Memory:
    """The plan of `head` that was kept, if it is still that of these tags."""

    def __init__(self, repository: Repository, head: str) -> None:
        self._repository = repository
        self._head = head
        self._path = repository.private_folder() / NAME

    def recall(self, *settings: object) -> ReleasePlan | None:
        """The plan by what was made of the settings; None where there is none that can be read."""
        return self._plan(lambda document: document["settings"] == repr(settings))

    def recall_said(self, *words: object) -> ReleasePlan | None:
        """The plan by the words of `Said`, None also where a place that they name is gone."""
        return self._plan(
            lambda document: document["words"] == repr(words) and all(map(os.path.exists, document["places"]))
        )

    def keep(self, plan: ReleasePlan, *settings: object, said: Said | None = None) -> None:
        """Keep a plan in the place of the one before. Where that cannot be, nothing is lost."""
        words, places = (None, ()) if said is None else (repr(said.words), said.places)
        document = {"key": self._key, "settings": repr(settings), "words": words, "places": list(map(str, places))}
        content = json.dumps(document | {"plan": _written(plan)}, separators=(",", ":")).encode()
        if len(content) > BYTES_MAX:
            return
        import tempfile  # noqa: PLC0415 - what is found again needs none

        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            handle, draft = tempfile.mkstemp(dir=self._path.parent, prefix=f".{NAME}.")
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(draft).replace(self._path)

    def _plan(self, fits: Callable[[Any], bool]) -> ReleasePlan | None:
        document = self._document
        try:
            return _read(document["plan"]) if document["key"] == self._key and fits(document) else None
        except (ValueError, TypeError, KeyError, IndexError):
            return None

    @cached_property
    def _key(self) -> str:
        # As it is: to load what makes a digest costs more than to read and compare it.
        return repr((FORM, __version__, self._head, self._repository.tag_listing()))

    @property
    def _document(self) -> Any:
        try:
            if self._path.is_symlink() or self._path.stat().st_size > BYTES_MAX:
                return {}
            return json.loads(self._path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}


def kept_plan(repository: Repository, *words: object) -> ReleasePlan | None:
    """The plan of HEAD that was kept with these words of `Said`; None where it is to be made. Errors as `make_plan`."""
    if not (repository.private_folder() / NAME).exists():
        return None  # So it is for most repositories, and whoever makes the plan asks for HEAD.
    return Memory(repository, checked_head(repository)).recall_said(*words)


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
