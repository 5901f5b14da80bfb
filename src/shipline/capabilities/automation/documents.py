"""The documents of deliveries: what `shipline hooks` prints with `--json`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from shipline.capabilities.automation.deliveries import Delivery


def deliveries_document(deliveries: Sequence[Delivery]) -> dict[str, Any]:
    """`shipline.deliveries/1`, the newest first, without what they hold."""
    return {"schema": "shipline.deliveries/1", "deliveries": [_entry(each) for each in deliveries]}


def delivery_document(delivery: Delivery) -> dict[str, Any]:
    """`shipline.delivery/1`: one, with its `payload` as the forge sent it."""
    return {"schema": "shipline.delivery/1", **_entry(delivery), "payload": json.loads(delivery.payload)}


def _entry(delivery: Delivery) -> dict[str, Any]:
    return {
        "number": delivery.number,
        "hook": delivery.hook,
        "delivery": delivery.identity,
        "payload_hash": delivery.payload_hash,
        "event": delivery.event,
        "received_us": delivery.received_us,
        "status": delivery.status.value,
        "handled_us": delivery.handled_us,
        "repeats": delivery.repeats,
        "said": delivery.said,
        "commands": list(delivery.commands),
    }
