"""Versions that a registry lists, in their order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from shipline.clients.version_order import highest_below, is_final, order_of

# https://semver.org/spec/v2.0.0.html, item 11.
SEMVER = (
    *("1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11"),
    *("1.0.0-rc.1", "1.0.0", "2.0.0", "2.1.0", "2.1.1"),
)
PEP440 = (
    *("1.0.dev1", "1.0a1.dev1", "1.0a1", "1.0a1.post1", "1.0b2", "1.0rc1", "1.0", "1.0.post1.dev1", "1.0.post1"),
    *("1.0.1", "1.1", "2026.1", "1!0.5", "1!1.0.dev1", "1!1.0", "2!0.1"),
)


@pytest.mark.parametrize("versions", [SEMVER, PEP440], ids=["semver", "pep440"])
def test_the_specification_s_order_holds(versions: tuple[str, ...]) -> None:
    orders = [order_of(version) for version in versions]
    assert None not in orders
    assert orders == sorted(orders)  # type: ignore[type-var]  # none of them is None
    assert len(set(orders)) == len(orders)


@pytest.mark.parametrize("text", ["", "latest", "v1.0", "sha256-abc.sig", "1.0.0-", "1" * 300, "\uff11.0.0"])
def test_what_is_no_version_has_no_order(text: str) -> None:
    assert order_of(text) is None
    assert not is_final(text)


@given(st.text("0123456789.abcrdev-+", max_size=12))
def test_every_text_has_an_order_or_none(text: str) -> None:
    order = order_of(text)
    assert order is None or order <= order  # noqa: PLR0124 - it can be compared


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20)), min_size=2, max_size=2))
def test_final_versions_sort_as_packaging_sorts_them(releases: list[tuple[int, int, int]]) -> None:
    left, right = (".".join(map(str, release)) for release in releases)
    assert ((order_of(left) or ()) < (order_of(right) or ())) == (Version(left) < Version(right))


@given(
    *[
        st.builds(
            "{}{}{}{}{}".format,
            st.sampled_from(["", "1!", "2!"]),
            st.sampled_from(["1", "1.0", "1.0.0", "1.0.1", "2.1"]),
            st.sampled_from(["", "a1", "b2", "rc10"]),
            st.sampled_from(["", ".post0", ".post2"]),
            st.sampled_from(["", ".dev0", ".dev3"]),
        )
    ]
    * 2
)
def test_python_s_versions_sort_as_packaging_sorts_them(left: str, right: str) -> None:
    mine, theirs = order_of(left), order_of(right)
    assert mine is not None
    assert theirs is not None
    assert (mine < theirs, mine == theirs) == (Version(left) < Version(right), Version(left) == Version(right))
    assert is_final(left) is not Version(left).is_prerelease


def test_the_highest_below_comes_first_and_keeps_to_its_kind() -> None:
    listed = ("1.0.0", "2.0.0-rc.1", "1.2.0", "latest", "3.0.0", "1.10.0")
    assert highest_below("2.0.0", listed, final=True) == ("1.10.0", "1.2.0", "1.0.0")
    assert highest_below("2.0.0", listed, final=False) == ("2.0.0-rc.1",)
    assert highest_below("latest", listed, final=True) == ()
