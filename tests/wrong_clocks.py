"""Histories whose commits claim any time at all, to see that parents decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shipline.testing.histories import History


class Made(NamedTuple):
    """A commit: its name, which is its message and that of a tag on it; the second that it claims; its parents."""

    name: str
    second: int
    parents: tuple[str, ...] = ()


def import_commits(history: History, commits: Sequence[Made], *, tags: Sequence[str]) -> dict[str, str]:
    """Add `commits`, parents first, the last one on main; only `tags` stay tagged. Returns their ids by name."""
    marks = {each.name: f":{mark}" for mark, each in enumerate(commits, 1)}
    stream = "".join(
        f"commit refs/tags/{each.name}\nmark {marks[each.name]}\ncommitter A <a@example.com> {each.second} +0000\n"
        f"data {len(each.name)}\n{each.name}\n"
        + "".join(f"{'merge' if place else 'from'} {marks[name]}\n" for place, name in enumerate(each.parents))
        for each in commits
    )
    history.git("fast-import", "--quiet", stdin=stream.encode())
    history.git("update-ref", "refs/heads/main", f"refs/tags/{commits[-1].name}")
    ids = {tag.name: tag.commit for tag in history.repository.tags()}
    surplus = "".join(f"delete refs/tags/{name}\n" for name in ids if name not in tags)
    history.git("update-ref", "--stdin", stdin=surplus.encode())
    return ids


def line(prefix: str, seconds: Sequence[int], *, after: str = "") -> list[Made]:
    """Commits one upon the other, named by the prefix and their numbers."""
    names = [after, *(f"{prefix}{number}" for number in range(len(seconds)))]
    return [
        Made(name, second, (parent,) if parent else ())
        for parent, name, second in zip(names, names[1:], seconds, strict=False)
    ]
