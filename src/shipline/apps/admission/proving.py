"""What registries say about images, remembered by digest and by the keys that were asked for."""

from __future__ import annotations

import json

from shipline.apps.admission.remembering import Remembered
from shipline.capabilities.gates import ImageDemand, ImageProof
from shipline.domain.verdict import Answer

KEPT_S = {Answer.PASS: 900.0, Answer.FAIL: 30.0, Answer.UNKNOWN: 5.0}
"""A signature that is taken away counts a quarter of an hour on; one that is added half a minute later."""
TAG_KEPT_S = 30.0
"""What a tag names may change."""


class Proofs(Remembered[ImageDemand, ImageProof]):
    """Answers of registries. `ask` is asked of one image."""

    def unknown(self, words: str) -> ImageProof:
        """Neither proven nor not."""
        return ImageProof(Answer.UNKNOWN, words)

    def lifetime_s(self, question: ImageDemand, answer: ImageProof) -> float:
        """By what it is."""
        seconds = KEPT_S[answer.answer]
        return seconds if "@" in question.reference else min(seconds, TAG_KEPT_S)

    def size_of(self, answer: ImageProof) -> int:
        """Mostly what is stated."""
        return len(answer.words) + sum(len(json.dumps(each)) for each in answer.predicates)
