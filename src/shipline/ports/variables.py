"""What a target gives to the services that it starts: plain variables, and secrets that are read when they are needed.

No value of a secret is written down: a target hands them to what it starts, and forgets them. What a service says of
itself may hold them, and is kept; `masked` takes them out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from shipline.domain.errors import InvalidValue, ShiplineError
from shipline.domain.variables import checked_value

MASK = "***"
HIDDEN = "(not shown: the secrets that it may hold cannot be read now, and so not be taken out)"
# Shorter ones, and shorter lines of longer ones, stand in any text by chance.
MASKED_CHARACTERS_MIN = 4


class Variables:
    """The variables of one environment. `secrets` are read by a call each, which raises ShiplineError."""

    def __init__(
        self, plain: Mapping[str, str] | None = None, secrets: Mapping[str, Callable[[], str]] | None = None
    ) -> None:
        self._plain = dict(plain or {})
        self._secrets = dict(secrets or {})
        # For `masked` alone, and as long as this process: what a service was started with may have been changed since.
        self._known: set[str] = set()
        self._is_tried = False

    @property
    def plain_names(self) -> tuple[str, ...]:
        """The names of the plain variables, sorted."""
        return tuple(sorted(self._plain))

    @property
    def secret_names(self) -> tuple[str, ...]:
        """The names of the secrets, sorted."""
        return tuple(sorted(self._secrets))

    def plain(self) -> dict[str, str]:
        """The plain variables."""
        return dict(self._plain)

    def secrets(self) -> dict[str, str]:
        """The secrets as they are now. ShiplineError that names the first one that cannot be had."""
        self._is_tried = True
        found = {name: _read(name, read) for name, read in self._secrets.items()}
        self._known |= {line for value in found.values() for line in (value, *value.splitlines())}
        return found

    def values(self) -> dict[str, str]:
        """All of them as they are now. ShiplineError as for `secrets`."""
        return self.plain() | self.secrets()

    def masked(self, text: str) -> str:
        """`text` without the secrets; HIDDEN in its place where they could not be read.

        As they are, and line by line: a service that encodes one and then tells it, tells it.
        """
        if not self._secrets or text == "":
            return text
        if not self._known and not self._is_tried:
            try:
                self.secrets()
            except ShiplineError:
                return HIDDEN  # It is not tried again and again: this is asked for every other second.
        if not self._known:
            return HIDDEN
        # The longest first: one may be a part of another.
        for value in sorted(self._known, key=len, reverse=True):
            if len(value) >= MASKED_CHARACTERS_MIN:
                text = text.replace(value, MASK)
        return text

    def diagnosis(self, error: ShiplineError) -> str:
        """What an error says, its reason masked: that is where a service's own words are."""
        return ShiplineError(error.what, why=self.masked(error.why), todo=error.todo).diagnosis()


def _read(name: str, read: Callable[[], str]) -> str:
    try:
        return checked_value(read())
    except InvalidValue as error:
        raise ShiplineError(
            f"the secret {name} cannot be given to a service", why=error.what, todo=error.todo
        ) from None
    except ShiplineError as error:
        raise ShiplineError(
            f"the secret {name} cannot be had: {error.what}",
            why=error.why,
            todo=error.todo,
            retryable=error.retryable,
        ) from None
