"""What a leaf says, in bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from shipline.store.tree import leaf_data

VALUES = st.none() | st.integers() | st.text() | st.floats() | st.booleans() | st.lists(st.none())


@given(st.dictionaries(st.text(st.characters(max_codepoint=0x7F)), VALUES, max_size=5))
def test_a_leaf_is_canonical_json_whatever_it_holds(leaf: dict[str, Any]) -> None:
    """The quick way writes the same bytes as the library for RFC 8785, and refuses what that refuses."""
    assert written(leaf_data, leaf) == written(rfc8785.dumps, leaf)


def written(write: Callable[[dict[str, Any]], bytes], leaf: dict[str, Any]) -> bytes | None:
    """The bytes; None where it is refused."""
    try:
        return write(leaf)
    except ValueError:
        return None
