"""`[[remediation]]`: rules that lead to nothing are refused."""

from __future__ import annotations

import pytest

from shipline.configuration import parse_settings
from shipline.configuration.check import check_settings
from shipline.domain.errors import ConfigurationError

FORGE = 'schema = 1\n[forge]\nprovider = "github"\nrepository = "acme/quotes"\ntoken_env = "T"\n'


@pytest.mark.parametrize(
    ("rules", "complaint"),
    [
        ('[[remediation]]\nname = "a"\n[[remediation]]\nname = "a"', "two .*remediation.* are named 'a'"),
        ('[[remediation]]\nname = "A b"', "not 1 to 40"),
        ('[[remediation]]\nname = "a"\nseverity = "worst"', "'worst' is not known"),
        ('[[remediation]]\nname = "a"\nkinds = ["cve"]', "'cve' is not known"),
        ('[[remediation]]\nname = "a"\nassign = ["@all"]', "without @"),
        ('[[remediation]]\nname = "a"\nlabels = ["a,b"]', "name of one label"),
        ('[[remediation]]\nname = "a"\nissue = "none"', "does nothing"),
        ('[[remediation]]\nname = "a"\npull_request = true', "needs a remote"),
        (
            '[[remediation]]\nname = "a"\nescalate = [{ after_hours = 2 }, { after_hours = 2 }]',
            "not one after the other",
        ),
        ("[automation.remediation]\nissues_most = 0", "1 to 1000"),
    ],
)
def test_what_leads_to_nothing_is_refused(rules: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        check_settings(parse_settings(f"{FORGE}{rules}\n".encode()))


def test_a_rule_needs_a_forge() -> None:
    with pytest.raises(ConfigurationError, match="needs a forge"):
        check_settings(parse_settings(b'schema = 1\n[[remediation]]\nname = "a"\n'))
