"""The order of versions, by the schemes that plans have."""

from __future__ import annotations

from shipline.capabilities.plans import Version, scheme_named


def ordered(scheme: str, text: str) -> Version | None:
    """A version whose `key` can be compared with those of its scheme; None where it is none, or nothing orders it.

    Go's begin with a `v`, which is no part of them.
    """
    if not scheme:
        return None
    known = scheme_named(scheme)
    normalized = known.normalized(text)
    return None if normalized is None else known.parse(normalized)
