"""Alerts from outside: one that begins during a rollout turns it back.

The format is that of Alertmanager's webhooks, version 4 (prometheus.io/docs/alerting/latest/configuration/,
"webhook_config"). An alert names its environment in the label `environment`. One that had begun before the rollout is
not its doing and changes nothing; nor does one that is resolved.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shipline.capabilities.rollouts.queries import open_rollout_of
from shipline.capabilities.rollouts.usecases import RolloutCommand, command_rollout
from shipline.domain.actor import Actor
from shipline.domain.errors import InvalidValue
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.engine.engine import Engine
from shipline.store.transaction import Transaction

ALERTS_MAX = 200
TEXT_MAX = 300
ENVIRONMENT_LABEL = "environment"
# Where it can be told to turn back: as long as what served before is still there.
TURNABLE = frozenset({RolloutStatus.STARTING, RolloutStatus.RUNNING, RolloutStatus.PAUSED, RolloutStatus.PROMOTING})


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert that fires. `began_us` is when it began, UTC microseconds; `summary` is for people, "" if none."""

    name: str
    environment: str
    began_us: int
    summary: str = ""


def read_alerts(document: object) -> tuple[Alert, ...]:
    """The alerts that fire and name an environment. InvalidValue for what is no webhook of version 4."""
    if not isinstance(document, dict) or document.get("version") != "4":
        raise InvalidValue("this is no webhook of Alertmanager, version 4")
    alerts = document.get("alerts")
    if not isinstance(alerts, list) or len(alerts) > ALERTS_MAX:
        raise InvalidValue(f"the webhook has no list of at most {ALERTS_MAX} alerts", todo="set `max_alerts`")
    read = (_alert(one) for one in alerts)
    return tuple(alert for alert in read if alert is not None)


def _alert(one: object) -> Alert | None:
    if not isinstance(one, dict) or one.get("status") not in ("firing", "resolved"):
        raise InvalidValue("an alert of the webhook has no status")
    labels, annotations = one.get("labels"), one.get("annotations", {})
    if not isinstance(labels, dict) or not isinstance(annotations, dict):
        raise InvalidValue("an alert of the webhook has no labels")
    environment = _text(labels.get(ENVIRONMENT_LABEL))
    if one["status"] == "resolved" or not environment:
        return None
    summary = _text(annotations.get("summary")) or _text(annotations.get("description"))
    return Alert(_text(labels.get("alertname")) or "alert", environment, _moment_us(one.get("startsAt")), summary)


def _text(value: Any) -> str:
    """One line of what may come from anywhere."""
    words = value[:TEXT_MAX] if isinstance(value, str) else ""
    return "".join(each if each.isprintable() else " " for each in words).strip()


def _moment_us(value: Any) -> int:
    try:
        moment = datetime.fromisoformat(value)
        seconds = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    except (TypeError, ValueError, OverflowError):
        raise InvalidValue("an alert of the webhook has no `startsAt`") from None
    return math.floor(seconds * 1_000_000)


def blames(alert: Alert, rollout: Rollout) -> bool:
    """True if the alert began in the rollout's environment while it was under way, and it can still be turned back."""
    is_there = alert.environment == rollout.environment and rollout.status in TURNABLE
    return is_there and alert.began_us >= rollout.started_us


def turn_back(tx: Transaction, engine: Engine, alerts: tuple[Alert, ...], actor: Actor) -> tuple[Rollout, ...]:
    """Abort the rollouts that alerts blame; returns those. The same alerts again change nothing more."""
    turned = []
    for environment in sorted({alert.environment for alert in alerts}):
        rollout = open_rollout_of(tx, environment)
        if rollout is None:
            continue
        blaming = [alert for alert in alerts if blames(alert, rollout)]
        if blaming:
            reason = "; ".join(_words(alert) for alert in blaming[:5])
            command_rollout(tx, engine, rollout, RolloutCommand("abort", reason, actor))
            turned.append(rollout)
    return tuple(turned)


def _words(alert: Alert) -> str:
    return f"the alert {alert.name} fires" + (f": {alert.summary}" if alert.summary else "")
