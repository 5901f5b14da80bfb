"""Nobody is called by what a commit says."""

from __future__ import annotations

import pytest

from shipline.capabilities.releases.mentions import JOINER, without_calls


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("- bump @types/node (abc1234)", "- bump @^types/node (abc1234)"),
        ("(@ann) **@ann** @-a @ a", "(@^ann) **@^ann** @-a @ a"),
        ("ann@example.org https://a.example/@ann core@1.0.0", "ann@example.org https://a.example/@ann core@1.0.0"),
        ("`@ann` @ann `` ` @ann `` `@ann", "`@ann` @^ann `` ` @ann `` `@^ann"),
        ("  ```\n  @ann\n  ```\n@ann", "  ```\n  @ann\n  ```\n@^ann"),
        ("~~~\n@ann", "~~~\n@^ann"),
    ],
)
def test_a_name_is_called_nowhere_but_in_code_where_it_calls_nobody(text: str, shown: str) -> None:
    assert without_calls(text) == shown.replace("^", JOINER)
    assert without_calls(without_calls(text)) == without_calls(text)


def test_a_long_text_takes_time_in_proportion_to_its_length() -> None:
    for piece in ("`", "``` \n", "@a `", "~~~\n@a\n"):
        assert without_calls(piece * 20_000).replace(JOINER, "") == piece * 20_000
