"""What registries are asked about images, and what they have answered: values alone. Who asks is elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shipline.capabilities.evidence import PublicKey
from shipline.domain.verdict import Answer


@dataclass(frozen=True, slots=True)
class Demand:
    """Which of these keys have signed an image; with a `predicate_type`, a statement of that type about it.

    `reference` is the image's whole name, by digest where it has one. `contents` is whether what the statements say
    is wanted, too.
    """

    reference: str
    keys: tuple[PublicKey, ...]
    predicate_type: str = ""
    contents: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """PASS where one of the keys has; UNKNOWN where that was not found out. `words` are for people.

    `keys` are the ids of those that have, `predicates` what their statements say.
    """

    answer: Answer
    words: str
    keys: frozenset[str] = frozenset()
    predicates: tuple[Mapping[str, Any], ...] = ()


Proofs = Mapping[Demand, Proof]
