"""Folders of versions: one for each, whatever the packages are called."""

from __future__ import annotations

import itertools

import pytest

from shipline.clients.released_names import folder_name


@pytest.mark.parametrize("name", ["quotes", "@scope/name", "../../etc", "a b", ".", "..", "é", "x" * 500])
def test_a_version_s_folder_stays_one_folder(name: str) -> None:
    made = folder_name(name, "1.0.0")
    assert "/" not in made
    assert not made.startswith(".")
    assert len(made) < 255


@pytest.mark.parametrize("name", ["quotes", "quotes_service", "Quotes.Service", "a-b"])
def test_a_plain_name_is_kept_as_it_is(name: str) -> None:
    assert folder_name(name, "1.0.0") == f"{name}-1.0.0"


def test_no_two_versions_share_a_folder() -> None:
    """Not libs/x and libs_x, and not the end of one name with the beginning of another's version."""
    names = ["libs/x", "libs_x", "libs:x", "libs x", "@libs/x", ".libs_x", "a", "a-1.0.0", "a-1"]
    versions = ["1.0.0", "0.1.0", "1.0.0-0.1.0", "1-0.1.0", "1.0.0-1.0.0"]
    made = [folder_name(*one) for one in itertools.product(names, versions)]
    assert len(set(made)) == len(made)
