"""Behaviour that every Secrets provider owes its callers. Subclass it; supply `secrets` and `keep`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shipline.domain.errors import ConfigurationError, ShiplineError
from shipline.domain.variables import VALUE_BYTES_MAX
from shipline.ports.secrets import API_VERSION, Secrets

Keep = Callable[[str, str], str]


class SecretsConformance:
    """The suite. `keep` puts a secret where the provider finds it, and returns its key: `keep(name, value)`."""

    @pytest.fixture
    def secrets(self) -> Secrets:
        raise NotImplementedError("supply the provider")

    @pytest.fixture
    def keep(self) -> Keep:
        raise NotImplementedError("supply what keeps a secret")

    @pytest.fixture
    def missing(self) -> str:
        """The key of a secret that is not there."""
        return "MISSING"

    def test_speaks_version_one_of_the_port(self, secrets: Secrets) -> None:
        assert secrets.api_version == API_VERSION

    @pytest.mark.parametrize("value", ["hunter2", "two\nlines", " blank ", "Grüße {key} $HOME", "x" * VALUE_BYTES_MAX])
    def test_a_secret_is_read_as_it_is(self, secrets: Secrets, keep: Keep, value: str) -> None:
        assert secrets.read(keep("ONE", value)) == value

    def test_a_changed_secret_is_read_as_it_is_now(self, secrets: Secrets, keep: Keep) -> None:
        assert secrets.read(keep("ONE", "before")) == "before"
        assert secrets.read(keep("ONE", "after")) == "after"

    def test_each_key_has_its_own(self, secrets: Secrets, keep: Keep) -> None:
        keys = [keep("ONE", "first"), keep("OTHER", "second")]
        assert [secrets.read(key) for key in keys] == ["first", "second"]

    def test_one_that_is_not_there_is_an_error_that_says_what_to_do(self, secrets: Secrets, missing: str) -> None:
        with pytest.raises(ConfigurationError) as refused:
            secrets.read(missing)
        assert missing in refused.value.what
        assert refused.value.todo

    @pytest.mark.parametrize("value", ["", "hunter2" * VALUE_BYTES_MAX])
    def test_what_no_variable_can_hold_is_refused_and_not_told(self, secrets: Secrets, keep: Keep, value: str) -> None:
        with pytest.raises(ShiplineError) as refused:
            secrets.read(keep("ONE", value))
        assert "hunter2" not in refused.value.diagnosis()
