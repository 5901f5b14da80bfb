"""The cluster's namespaces, whose labels policies ask for, remembered for half a minute."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from shipline.apps.admission.remembering import Remembered

KEPT_S, UNKNOWN_KEPT_S = 30.0, 2.0


class Namespaces(Remembered[str, Mapping[str, Any] | None]):
    """Namespaces by name; None for one that is not known: a policy that needs its labels then has no answer."""

    def unknown(self, words: str) -> None:
        """Not known."""

    def lifetime_s(self, question: str, answer: Mapping[str, Any] | None) -> float:  # noqa: ARG002 - all alike
        """Labels change seldom; a namespace that is not there yet may be there soon."""
        return UNKNOWN_KEPT_S if answer is None else KEPT_S

    def size_of(self, answer: Mapping[str, Any] | None) -> int:
        """Its text."""
        return len(json.dumps(answer))
