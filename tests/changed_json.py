"""JSON documents with something in them changed: for readers of what others have written."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

ODD: tuple[Any, ...] = (
    *(None, True, -1, 1.5, 10**400, "", "\ud800", "\0", "9" * 5000, "²", "../x", [], {}, [[]], [None], [{}]),
    *({"": 0}, "sha256:" + "0" * 64),
)


def changed_json(document: Any) -> st.SearchStrategy[bytes]:
    """`document` with up to three values that are others, or are gone."""

    @st.composite
    def changed(draw: st.DrawFn) -> bytes:
        made = copy.deepcopy(document)
        for _ in range(draw(st.integers(1, 3))):
            places = list(_places(made))
            if not places:
                break
            holder, key = draw(st.sampled_from(places))
            if isinstance(holder, dict) and draw(st.booleans()):
                del holder[key]
            else:
                holder[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
        return json.dumps(made).encode()

    return changed()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in list(inner):
        yield value, key
        yield from _places(each)
