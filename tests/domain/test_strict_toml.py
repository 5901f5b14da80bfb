"""TOML of strangers is read within bounds."""

from __future__ import annotations

import pytest

from shipline.domain.strict_toml import KEY_PARTS_MAX, read_toml

PARTS = {"bare": "a", "double": '"a"', "single": "'a'", "escaped": r'"\""', "spaced": "a "}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
@pytest.mark.parametrize("form", ["{} = 1", "[{}]", "a = {{ {} = 1 }}"])
def test_a_key_of_very_many_parts_is_refused(part: str, form: str) -> None:
    """The parser would take hours for this mebibyte."""
    with pytest.raises(ValueError, match="parts are not read"):
        read_toml(form.format(".".join([part] * (200_000 // len(part)))))


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", ['"' + r"\"" * 500_000, "'" * 1_000_000, "a = " + "[" * 500_000, '" ' * 500_000])
def test_other_rubbish_is_refused_in_time(text: str) -> None:
    with pytest.raises((ValueError, RecursionError)):
        read_toml(text)


def test_usual_documents_are_read() -> None:
    key = ".".join(["a"] * (KEY_PARTS_MAX - 1))
    assert read_toml(f"[{key}]\nx = 1.50")["a"]
    assert read_toml("x = 1.50") == {"x": 1.5}
    assert read_toml("x = 1.50", floats_as_text=True) == {"x": "1.50"}
