"""Values are filled into queries so that none changes what is asked."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.clients.query_filling import check_placeholders, filled, named_in
from shipline.domain.errors import InvalidValue
from shipline.ports.metrics import Language

PLACEHOLDERS = ("environment", "package", "version", "stable_version", "group", "role")


def values(**changes: str | None) -> dict[str, str | None]:
    known = {"environment": "production", "package": "quotes", "version": "1.2.0", "stable_version": "1.1.0"}
    return {**known, "group": "quotes-1-2-0-a1-canary", "role": "canary", **changes}


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ('up{version="{version}"}', 'up{version="1.2.0"}'),
        ("up{version='{version}'}", "up{version='1.2.0'}"),
        ("up{version=`{version}`}", "up{version=`1.2.0`}"),
        ('up{version=~"{version}(-.*)?"}', r'up{version=~"1\\.2\\.0(-.*)?"}'),
        ("up{version!~ `{version}`}", r"up{version!~ `1\.2\.0`}"),
        ('up{v!="{stable_version}", e="{environment}"}', 'up{v!="1.1.0", e="production"}'),
        ('up{g="{group}", r="{role}", p="{package}"}', 'up{g="quotes-1-2-0-a1-canary", r="canary", p="quotes"}'),
        ("{package}_requests_total", "quotes_requests_total"),
        ('up{path="/users/{id}"} # for {version}', 'up{path="/users/{id}"} # for {version}'),
        (r'up{a="\"", version="{version}"}', r'up{a="\"", version="1.2.0"}'),
        ("vector(1)", "vector(1)"),
    ],
)
def test_promql_gets_its_values(query: str, asked: str) -> None:
    """In strings of all three kinds; as a literal where the string is a pattern."""
    check_placeholders(query, Language.PROMQL, PLACEHOLDERS)
    assert filled(query, values(), Language.PROMQL) == asked


TEXT = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=30).filter(str.isprintable)


@given(version=TEXT)
def test_no_value_ends_the_string_that_it_stands_in(version: str) -> None:
    """What PromQL reads is the value, as a text and as a pattern. Its escapes of these are those of JSON."""
    asked = filled('up{a="x{version}", b=~"{version}"} + 1', values(version=version), Language.PROMQL)
    found = re.fullmatch(r'up\{a=("(?:[^"\\]|\\.)*"), b=~("(?:[^"\\]|\\.)*")\} \+ 1', asked)
    assert found is not None
    assert json.loads(found[1]) == f"x{version}"
    assert re.fullmatch(json.loads(found[2]), version)


@given(version=TEXT)
def test_outside_of_strings_only_words_are_filled_in(version: str) -> None:
    """And in other languages what has no meaning in them."""
    for language, allowed in ((Language.PROMQL, r"[A-Za-z0-9_]+"), (Language.PLAIN, r"[A-Za-z0-9_.:/-]+")):
        if re.fullmatch(allowed, version):
            assert filled("a_{version}", values(version=version), language) == f"a_{version}"
        else:
            with pytest.raises(InvalidValue, match="cannot stand where the query has"):
                filled("a_{version}", values(version=version), language)


@pytest.mark.parametrize("version", ["1\n2", "1\x00", "\x1b[2J"])
def test_what_cannot_be_seen_is_never_filled_in(version: str) -> None:
    for language in Language:
        with pytest.raises(InvalidValue):
            filled('up{version="{version}"}', values(version=version), language)


def test_a_raw_string_takes_no_back_quote() -> None:
    """It has no escape for it."""
    with pytest.raises(InvalidValue):
        filled("up{version=`{version}`}", values(version="1`2"), Language.PROMQL)


def test_other_languages_use_braces_of_their_own() -> None:
    """Datadog's scope, a grouping, CloudWatch's search: all but the placeholders stays."""
    query = "sum:hits{service:{package},version:{version}} by {host}"
    check_placeholders(query, Language.PLAIN, PLACEHOLDERS)
    assert filled(query, values(), Language.PLAIN) == "sum:hits{service:quotes,version:1.2.0} by {host}"


def test_a_name_that_stands_for_nothing_is_told() -> None:
    """PromQL has no other use for a single name in braces."""
    with pytest.raises(InvalidValue) as caught:
        check_placeholders('up{a="b"} + {verison}', Language.PROMQL, PLACEHOLDERS)
    assert "{verison}" in caught.value.what
    assert all(f"{{{name}}}" in caught.value.todo for name in PLACEHOLDERS)


def test_what_is_not_known_is_told() -> None:
    with pytest.raises(InvalidValue, match="stands for nothing here"):
        filled('up{version="{stable_version}"}', values(stable_version=None), Language.PROMQL)


def test_the_placeholders_of_a_query_are_found() -> None:
    assert named_in('a{b="{version}"} / {group} + {other}', PLACEHOLDERS) == {"version", "group"}
