"""Which files of a chart stay out of its package; the expected answers are those of Helm's own rules.go."""

from __future__ import annotations

import pytest

from shipline.domain.errors import InvalidValue
from shipline.providers.builder.helm_ignore import HelmIgnore


@pytest.mark.parametrize(
    ("rules", "path", "is_folder", "left_out"),
    [
        ("", "values.yaml", False, False),
        ("", "templates/.keep", False, True),
        ("", "templates/deep/.keep", False, False),
        ("# all\n\n", "a", False, False),
        ("\ufeffa.txt", "a.txt", False, True),
        ("*.txt", "deep/a.txt", False, True),
        ("deep/*.txt", "deep/a.txt", False, True),
        ("deep/*.txt", "deep/er/a.txt", False, False),
        ("/a.txt", "a.txt", False, True),
        ("/a.txt", "deep/a.txt", False, False),
        ("ci/", "ci", True, True),
        ("ci/", "ci", False, False),
        ("ci/", "deep/ci", True, True),
        ("a?c", "abc", False, True),
        ("a?c", "a/c", False, False),
        ("[a-c]x", "bx", False, True),
        ("[^a-c]x", "bx", False, False),
        ("[^a-c]x", "dx", False, True),
        ("a[^b]x", "a/x", False, False),
        # A class may be a slash, as in Go.
        ("/a[^b]x", "a/x", False, True),
        (r"\*.txt", "*.txt", False, True),
        (r"\*.txt", "a.txt", False, False),
        (r"[\]]", "]", False, True),
        (r"[\--0]", ".", False, True),
        # A negative rule leaves out whatever does not fit it.
        ("!keep.txt", "keep.txt", False, False),
        ("!keep.txt", "other.txt", False, True),
        ("!keep/", "other.txt", False, True),
        ("!keep/", "keep", True, False),
        ("a.txt\n!b.txt", "a.txt", False, True),
        ("a^b", "a^b", False, True),
        ("*a*b*c", "xaabxbcc", False, True),
        ("*a*b*c", "xaabxbcd", False, False),
        ("*x/y*z*", "axx/yyzz", False, True),
    ],
)
def test_the_first_rule_that_fits_decides(rules: str, path: str, *, is_folder: bool, left_out: bool) -> None:
    assert HelmIgnore(rules).leaves_out(path, is_folder=is_folder) is left_out


@pytest.mark.parametrize("rule", ["a/**/b", "[", "[]a]", "[a", "a\\", "[b-a]", "[-a]", "[a-]", r"[\]"])
def test_what_helm_refuses_is_refused(rule: str) -> None:
    with pytest.raises(InvalidValue, match=r"helmignore"):
        HelmIgnore(rule)


def test_a_hostile_rule_takes_no_time() -> None:
    rules = HelmIgnore("*a" * 100 + "b")
    assert not rules.leaves_out("a" * 4_000, is_folder=False)
    assert HelmIgnore("*a" * 100).leaves_out("a" * 4_000, is_folder=False)
