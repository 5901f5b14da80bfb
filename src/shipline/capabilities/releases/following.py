"""What a release edits beside its own version: what the package requires, and the changesets that it uses up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from shipline.capabilities.plans import without_package
from shipline.capabilities.version_files import write_atomically, write_requirement
from shipline.domain.codec import from_json
from shipline.domain.release_plan import RequirementEdit


def write_requirements(own: Callable[[str], Path], edits: Sequence[dict[str, Any]]) -> list[Path]:
    """Let the package's manifests require what they require from now on; changes nothing the second time.

    `own` gives a file of the repository by its path from the root, and refuses links.
    """
    paths = []
    for edit in (from_json(RequirementEdit, each) for each in edits):
        path = own(edit.path)
        if edit.after != edit.before:
            write_atomically(path, write_requirement(edit.path, path.read_bytes(), edit.name, edit.after))
            paths.append(path)
    return list(dict.fromkeys(paths))


def use_up_changesets(own: Callable[[str], Path], names: Sequence[str], package: str) -> list[Path]:
    """Take the package out of the changesets of its release; those that nobody needs any more are deleted.

    Other packages keep their lines until they are released themselves, whatever happens in between.
    """
    paths = []
    for name in names:
        path = own(name)
        paths.append(path)
        left = without_package(name, path.read_bytes(), package) if path.is_file() else None
        if left is None:
            path.unlink(missing_ok=True)
        else:
            write_atomically(path, left)
    return paths
