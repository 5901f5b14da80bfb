"""Frameworks as files: what is read, and what is refused."""

from __future__ import annotations

import pytest

from shipline.capabilities.gates.compliance import FRAMEWORKS, built_in, read_framework
from shipline.domain.errors import ConfigurationError

HEAD = 'schema = 1\nname = "ours"\ntitle = "T"\nsource = "S"\n'
KEPT = '[[control]]\nid = "A"\ntitle = "T"\nrule = "sbom.present"\n'


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_each_framework_that_comes_along_is_whole(name: str) -> None:
    """Its controls say where they are from, and those that can be shown how to come to them."""
    framework = built_in(name)
    assert framework.name == name
    assert framework.source.startswith("https://")
    assert [control.id for control in framework.control if control.is_shown and not control.todo] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD, "control"),
        (HEAD + "control = []", "1 to 500"),
        (HEAD + KEPT + KEPT, "two controls"),
        (HEAD.replace("ours", "Our s") + KEPT, "its name has"),
        (HEAD.replace("1", "2") + KEPT, "its schema is 2"),
        (HEAD + KEPT.replace("sbom.present", "sbom.presnt"), "sbom.pres"),
        (HEAD + KEPT + 'evidence = ["sboms"]', "expected one of"),
        (HEAD + KEPT + "approvers = -1", "0 to 100 approvers"),
        (HEAD + KEPT + 'organisational = "no"', "and yet names"),
        (HEAD + '[[control]]\nid = "A"\ntitle = "T"\n', "nothing about a release can show any"),
        (HEAD + KEPT + '[[control]]\nid = "B"\ntitle = "T"\n', "say in `organisational`"),
        (HEAD + KEPT + '[[control]]\nid = "B"\ntitle = "T\\u001b[2J"\norganisational = "x"\n', "more than one line"),
        (HEAD + KEPT + "other = 1", "unknown field 'other'"),
        ("name =", "is not TOML"),
        ("x" * 300_000, "larger than"),
    ],
)
def test_what_would_let_too_much_pass_is_refused(text: str, words: str) -> None:
    """With the file's name, in words."""
    with pytest.raises(ConfigurationError, match=r"ours\.toml") as refused:
        read_framework(text.encode(), where="ours.toml")
    assert words in refused.value.what
