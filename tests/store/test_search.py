"""Events found by what they say, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shipline.domain.actor import SYSTEM
from shipline.domain.package import Project
from shipline.store.database import Store
from shipline.store.log import erase
from shipline.store.search import Wanted, all_found, latest_found
from tests.store.logs import PERSON, append, event


def numbers(store: Store, wanted: Wanted, limit: int = 100) -> list[int]:
    return [entry.event.body["number"] for entry in latest_found(store, wanted, limit)]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), [0, 1, 2, 3, 4]),
        (Wanted(kinds=("A", "C")), [0, 2, 4]),
        (Wanted(stream="s:two"), [2, 3]),
        (Wanted(actor="mia"), [0, 1, 2, 4]),
        (Wanted(actor="mia@example.org"), [0, 1, 2, 4]),
        (Wanted(actor="mi"), []),
        (Wanted(actor="engine@shipline"), [3]),
        (Wanted(text="LEFT-pad"), [1]),
        (Wanted(text="größe"), [2]),
        (Wanted(text='say "yes"'), [4]),
        (Wanted(text="100%"), [3]),
        (Wanted(text="S:TWO"), [2, 3]),
        (Wanted(text="example.org"), [0, 1, 2, 4]),
        (Wanted(text='"words":'), []),
        (Wanted(since_us=1_700_000_000_000_001, until_us=1_700_000_000_000_004), [1, 2, 3]),
        (Wanted(kinds=("A",), actor="mia", text="pad"), []),
    ],
)
def test_all_that_is_given_must_fit(store: Store, wanted: Wanted, found: list[int]) -> None:
    append(
        store,
        [
            event(0, "s:one", "A"),
            event(1, "s:one", "B", package={"name": "left-pad"}),
            event(2, "s:two", "A", words=["die GRÖSSE", "Größe"]),
            replace(event(3, "s:two", "B", words="100% of it"), actor=SYSTEM),
            event(4, "s:three", "C", words='they say "yes"'),
        ],
    )
    assert numbers(store, wanted) == found
    assert [entry.event.body["number"] for entry, _ in all_found(store, wanted)] == found


def test_pages_go_back_from_a_number(store: Store) -> None:
    """The last ones come first, and each page the oldest first; what does not fit takes no place on a page."""
    append(store, [event(number, words="odd" if number % 2 else "even") for number in range(10)])
    newest = latest_found(store, Wanted(text="odd"), 2)
    assert [entry.event.body["number"] for entry in newest] == [7, 9]
    before = latest_found(store, Wanted(text="odd"), 2, before_number=newest[0].number)
    assert [entry.event.body["number"] for entry in before] == [3, 5]


def test_other_projects_and_erased_contents_are_not_found(store: Store) -> None:
    other = Store(store.url, Project(id="prj_other", organisation_id="org_other", name="other")).open()
    append(other, [event(1, text="secret")])
    other.close()
    append(store, [event(2, text="secret")])
    with store.begin() as tx:
        erase(tx, event(2).id, erasure_id="evt_e", actor=PERSON, time_us=1)
    assert latest_found(store, Wanted(text="secret"), 9) == ()
    assert [entry.event.kind for entry in latest_found(store, Wanted(actor="mia"), 9)] == ["ContentErased"]
