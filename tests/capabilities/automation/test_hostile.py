"""Deliveries are read or set aside, whatever is in them, and what is written of them any database takes."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from shipline.capabilities.automation import Delivery, DeliveryStatus, Duties, event_name
from shipline.capabilities.automation.usecases import read_delivery
from tests.capabilities.automation.test_reading import SAMPLES
from tests.changed_json import changed_json

SENT = json.loads(SAMPLES.read_text("utf-8"))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_is_changed_is_read_or_set_aside(data: st.DataObject) -> None:
    """In words for people: `unlike all that is known` would be an error of ours."""
    sample = data.draw(st.sampled_from(SENT))
    payload = data.draw(changed_json(sample["payload"]))
    for hook in ("github", "gitea", "gitlab"):
        named = {f"x-{hook}-event": sample["event"]}
        event = event_name(hook, named, json.loads(payload))
        given_ = Delivery(1, hook, "i", "h", event, 0, DeliveryStatus.WAITING, None, 0, "", (), payload.decode())
        reading = read_delivery(given_, Duties(("main",)))
        assert "unlike all" not in reading.handled.said
        seen = (part for pair in reading.seen for part in pair)
        for text in (event, reading.handled.said, *reading.handled.commands, *seen):
            assert "\0" not in text
            text.encode()
