"""The counts of two arms that are compared."""

from __future__ import annotations

from dataclasses import dataclass

from shipline.domain.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class TwoArms:
    """Requests of a canary and of its baseline in one period, and how many of them failed (or were slow)."""

    canary_failures: int
    canary_requests: int
    baseline_failures: int
    baseline_requests: int

    def __post_init__(self) -> None:
        """Refuse counts that cannot be: negative, or more failures than requests."""
        possible = 0 <= self.canary_failures <= self.canary_requests
        if not (possible and 0 <= self.baseline_failures <= self.baseline_requests):
            raise InvalidValue(
                f"impossible counts: {self.canary_failures} of {self.canary_requests}"
                f" and {self.baseline_failures} of {self.baseline_requests}"
            )

    @property
    def comparable(self) -> bool:
        """True if both arms have requests."""
        return self.canary_requests > 0 and self.baseline_requests > 0
