"""Documents in tags, and the newest revision among them."""

from __future__ import annotations

import pytest

from shipline.clients.aws_fence import claim, newest
from shipline.clients.aws_marks import VALUE_CHARACTERS_MAX, number, read, short_name, written
from shipline.clients.saved_routes import SavedRoute, SavedRoutes, whole_numbers
from shipline.domain.errors import InvalidValue, RefusedError, ShiplineError
from shipline.ports.target import Role
from shipline.ports.traffic import Route

DOCUMENT = SavedRoutes("staging", {"a": SavedRoute(Route("a", Role.CANARY, "1.0.0+ü!", 0.5, ()), 7)})


def test_a_document_is_read_as_it_was_written() -> None:
    """Also beside pieces of a longer one that was there before."""
    tags = written("traffic", DOCUMENT)
    assert read(SavedRoutes, "traffic", {**tags, "shipline:traffic-9": "old"}) == DOCUMENT
    assert read(SavedRoutes, "traffic", {}) is None
    assert all(len(text) <= VALUE_CHARACTERS_MAX for text in tags.values())


@pytest.mark.parametrize("changed", ["shipline:traffic", "shipline:traffic-1"])
@pytest.mark.parametrize("text", ["", "1 0", "e30=", "x" * 256, "99999999999999999999 0"])
def test_a_document_that_was_changed_is_an_error(changed: str, text: str) -> None:
    """Half a change, too."""
    with pytest.raises(ShiplineError, match="not what Shipline wrote"):
        read(SavedRoutes, "traffic", {**written("traffic", DOCUMENT), changed: text})


def test_a_document_that_is_too_large_for_tags_is_refused() -> None:
    digests = [f"{number:0>64x}" for number in range(7**9, 7**9 + 3000)]
    with pytest.raises(InvalidValue, match="more than the tags"):
        written("traffic", [f"{hash(digest):x}" for digest in digests])


def test_names_have_room_in_a_load_balancer() -> None:
    """And tell environments and groups apart."""
    names = {short_name(*pair) for pair in (("a", "b-c"), ("a-b", "c"), ("a", "b"))}
    assert len(names) == 3
    assert max(map(len, names)) <= 32


@pytest.mark.parametrize("text", ["-1", "1.0", "x", "9" * 20, "٣"])
def test_a_number_that_was_changed_is_an_error(text: str) -> None:
    assert number({"n": "12"}, "n") == 12
    with pytest.raises(ShiplineError):
        number({"n": text}, "n")


def test_a_late_claim_takes_nothing_back() -> None:
    """The zombie has read before the newer one wrote, and writes after it."""
    tags: dict[str, str] = {}

    def interrupted(added: dict[str, str]) -> None:
        tags.update({"shipline:revision:6": ""})
        tags.update(added)

    with pytest.raises(RefusedError, match="older than 6"):
        claim(5, "", read=lambda: dict(tags), add=interrupted, remove=lambda _names: None)  # type: ignore[arg-type] # a dict
    assert newest(tags) == 6


def test_older_claims_are_removed_and_other_environments_are_left_alone() -> None:
    tags = {"shipline:revision:a:1": "", "shipline:revision:b:9": "", "shipline:revision:a:x": "", "other": ""}

    def remove(names: object) -> None:
        for name in list(names):  # type: ignore[call-overload] # a list of names
            del tags[name]

    claim(2, "a", read=lambda: dict(tags), add=tags.update, remove=remove)
    assert set(tags) == {"shipline:revision:a:2", "shipline:revision:b:9", "shipline:revision:a:x", "other"}
    assert (newest(tags, "a"), newest(tags, "b"), newest(tags)) == (2, 9, 0)


@pytest.mark.parametrize(
    ("shares", "largest", "numbers"),
    [
        ((0.75, 0.25), 999, (3, 1)),
        ((255 / 256, 1 / 256), 999, (255, 1)),
        ((1.0, 0.0), 999, (1, 0)),
        ((0.9999999, 0.0000001), 999, (999, 1)),
        ((1 / 3, 1 / 3, 1 / 3), 999, (1, 1, 1)),
        ((), 999, ()),
    ],
)
def test_weights_are_whole_and_come_near(shares: tuple[float, ...], largest: int, numbers: tuple[int, ...]) -> None:
    """The smallest of those that come nearest; nobody who has a share gets nothing."""
    found = whole_numbers(shares, largest)
    assert all(share == 0 or number > 0 for share, number in zip(shares, found, strict=True))
    assert found == numbers
