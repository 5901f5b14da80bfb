"""`[assistant]`: off where it is not there, and refused where it could not work."""

from __future__ import annotations

import pytest

from shipline.configuration import parse_settings
from shipline.configuration.check import check_settings
from shipline.domain.errors import ConfigurationError

FORGE = 'schema = 1\n[forge]\nprovider = "github"\nrepository = "acme/quotes"\ntoken_env = "T"\n'
ASKED = '[assistant]\nprovider = "openai"\nurl = "https://models.example/v1"\nmodel = "small"\n'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (f"schema = 1\n{ASKED}", "nowhere to speak"),
        (f'{FORGE}[assistant]\nprovider = "gitlab-duo"\n', "on GitLab alone"),
        (f'{FORGE}{ASKED}tasks = ["approve"]\n', "'approve' is not known"),
        (f"{FORGE}{ASKED}bytes_max = 10\n", "1000 to 1000000"),
        (f'{FORGE}{ASKED}key = "sk-1"\n', "key"),
        (f'{FORGE}{ASKED}key = {{ value = "sk-1" }}\n', "said by where it is"),
    ],
)
def test_what_could_not_work_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        check_settings(parse_settings(text.encode()))


def test_what_works_is_taken_and_nothing_is_asked_by_default() -> None:
    assert parse_settings(FORGE.encode()).assistant == {}
    check_settings(parse_settings(f'{FORGE}{ASKED}key = {{ environment = "K" }}\n'.encode()))
