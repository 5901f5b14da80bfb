"""Behaviour that every Assistant that answers owes its callers. Subclass it; supply `assistant`, and the `model` behind
it."""

from __future__ import annotations

import json

import pytest

from shipline.domain.errors import ShiplineError, UnavailableError
from shipline.ports.assistant import Assistant, Question
from shipline.testing.fakes.assistant import FakeAssistant, Trouble

MATERIAL = {"title": "fix: it", "files": [{"path": "a.py", "diff": "@@ -1 +1 @@\n-x\n+if x == None:"}], "findings": []}
QUESTION = Question("Be of use.", json.dumps(MATERIAL), tokens_max=100)


class AssistantConformance:
    """The suite."""

    @pytest.fixture
    def model(self) -> FakeAssistant:
        return FakeAssistant()

    @pytest.fixture
    def assistant(self, model: FakeAssistant) -> Assistant:
        raise NotImplementedError("supply an assistant")

    def test_a_question_is_put_once_and_answered(self, assistant: Assistant, model: FakeAssistant) -> None:
        said = assistant.ask(QUESTION)
        assert model.asked == [QUESTION]
        assert (said.whole, json.loads(said.text)["remarks"][0]["replacement"]) == (True, "if x is None:")
        assert assistant.name
        assert not assistant.reviewer

    def test_an_answer_that_was_cut_off_is_told_from_a_whole_one(
        self, assistant: Assistant, model: FakeAssistant
    ) -> None:
        model.troubles = [Trouble.CUT_OFF]
        assert not assistant.ask(QUESTION).whole

    @pytest.mark.parametrize("trouble", [each for each in Trouble if each is not Trouble.CUT_OFF])
    def test_no_answer_is_an_error_and_nothing_is_sent_twice(
        self, assistant: Assistant, model: FakeAssistant, trouble: Trouble
    ) -> None:
        """One that passes by itself can be waited out."""
        model.troubles = [trouble]
        with pytest.raises(ShiplineError) as caught:
            assistant.ask(QUESTION)
        assert len(model.asked) == 1
        passes = trouble in (Trouble.LIMITED, Trouble.DOWN, Trouble.HANGS)
        assert (isinstance(caught.value, UnavailableError), caught.value.retryable) == (passes, passes)
        model.goes_on.set()
