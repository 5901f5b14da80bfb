"""Alerts from outside: one that begins during a rollout turns it back, and one that begins after it was promoted goes
back to the version before as long as that is kept warm. Later than that people decide: there is an incident.

The format is that of Alertmanager's webhooks, version 4 (prometheus.io/docs/alerting/latest/configuration/,
"webhook_config"). An alert names its environment in the label `environment`. One that had begun before the rollout is
not its doing and changes nothing; nor does one that is resolved.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from shipline.capabilities.rollouts.queries import ROLLOUTS, latest_rollout, open_rollout_of, recorded_deployment
from shipline.capabilities.rollouts.usecases import RECENT, RolloutCommand, append, command_rollout, deployment_id
from shipline.domain.actor import Actor
from shipline.domain.errors import InvalidValue
from shipline.domain.rollout import ENDED, Rollout, RolloutPurpose, RolloutStatus
from shipline.engine.engine import Engine
from shipline.store.event_writer import EventWriter
from shipline.store.transaction import Transaction

ALERTS_MAX = 200
ALERTED_MAX = 100
TEXT_MAX = 300
WORDS_MAX = 5
CAUSED_WITHIN_US = 24 * 3_600_000_000
"""An alert that begins later than this after a promotion is not said to be caused by it."""
ENVIRONMENT_LABEL = "environment"
# Where it can be told to turn back: as long as what served before is still there.
TURNABLE = frozenset({RolloutStatus.STARTING, RolloutStatus.RUNNING, RolloutStatus.PAUSED, RolloutStatus.PROMOTING})


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. `began_us` is when it began, UTC microseconds; `summary` is for people, "" if none. With `is_over` it
    fires no longer."""

    name: str
    environment: str
    began_us: int
    summary: str = ""
    is_over: bool = False

    @property
    def key(self) -> str:
        """What tells it from the same alert at another time."""
        return f"{self.name}@{self.began_us}"


@dataclass(frozen=True, slots=True)
class Blamed:
    """A promoted rollout whose version new alerts blame. `is_warm`: the version before is running still, so that the
    way back is one switch."""

    rollout: Rollout
    alerts: tuple[Alert, ...]
    is_warm: bool

    @property
    def words(self) -> str:
        """What fires, for people."""
        return "; ".join(_words(alert) for alert in self.alerts[:WORDS_MAX])


@dataclass(frozen=True, slots=True)
class Fired:
    """An alert as the log has it: its name, and when it began, UTC microseconds."""

    name: str
    began_us: int


def fired(keys: Iterable[object]) -> tuple[Fired, ...]:
    """The alerts of these keys. What is no key is left out: it may come from a log that others have written."""
    parts = (str(key).rpartition("@") for key in keys)
    return tuple(Fired(name, int(began)) for name, _, began in parts if name and re.fullmatch(r"[0-9]{1,16}", began))


def keys_of(alerts: Sequence[Alert]) -> tuple[str, ...]:
    """The keys for an event's body, at most as many as are put in words."""
    return tuple(alert.key for alert in alerts[:WORDS_MAX])


def read_alerts(document: object) -> tuple[Alert, ...]:
    """The alerts that name an environment. InvalidValue for what is no webhook of version 4."""
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
    if not environment:
        return None
    summary = _text(annotations.get("summary")) or _text(annotations.get("description"))
    return Alert(
        _text(labels.get("alertname")) or "alert",
        environment,
        _moment_us(one.get("startsAt")),
        summary,
        one["status"] == "resolved",
    )


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
    return is_there and alert.began_us >= rollout.started_us and not alert.is_over


def turn_back(tx: Transaction, engine: Engine, alerts: tuple[Alert, ...], actor: Actor) -> tuple[Rollout, ...]:
    """Abort the rollouts that alerts blame; returns those. The same alerts again change nothing more."""
    turned = []
    for environment in sorted({alert.environment for alert in alerts}):
        rollout = open_rollout_of(tx, environment)
        if rollout is None:
            continue
        blaming = [alert for alert in alerts if blames(alert, rollout)]
        if blaming:
            reason = "; ".join(_words(alert) for alert in blaming[:WORDS_MAX])
            command_rollout(tx, engine, rollout, RolloutCommand("abort", reason, actor, keys_of(blaming)))
            turned.append(rollout)
    return tuple(turned)


def blamed_after(tx: Transaction, alerts: tuple[Alert, ...], now_us: int) -> tuple[Blamed, ...]:
    """The promoted rollouts that new alerts blame. One that is under way is turned back instead."""
    found = (_blamed_in(tx, place, alerts, now_us) for place in sorted({alert.environment for alert in alerts}))
    return tuple(one for one in found if one is not None)


def _blamed_in(tx: Transaction, place: str, alerts: tuple[Alert, ...], now_us: int) -> Blamed | None:
    newest, serving = latest_rollout(tx, place), recorded_deployment(tx, place)
    if newest is None or newest.status not in ENDED or serving is None:
        return None
    rollout = ROLLOUTS.find(tx, serving.rollout_id)
    if rollout is None or rollout.status is not RolloutStatus.PROMOTED:
        return None
    # What began while a newer one was there, which has been turned back since, was that one's doing.
    since_us = rollout.started_us if newest.id == rollout.id else (newest.ended_us or now_us) + 1
    new = tuple(
        alert
        for alert in alerts
        if alert.environment == place
        and not alert.is_over
        and alert.began_us >= since_us
        and alert.key not in rollout.alerted
    )
    is_warm = newest.id == rollout.id and rollout.warm_until_us is not None and now_us < rollout.warm_until_us
    can_return = is_warm and rollout.purpose is RolloutPurpose.RELEASE and rollout.stable_version is not None
    return Blamed(rollout, new, can_return) if new else None


def note_alerts(tx: Transaction, engine: Engine, blamed: Blamed, actor: Actor, *, why_not: str) -> None:
    """Put on record that alerts blame what serves, and what a person can do; `why_not` is why nothing was done."""
    rollout = ROLLOUTS.find(tx, blamed.rollout.id) or blamed.rollout
    new = [alert for alert in blamed.alerts if alert.key not in rollout.alerted]
    if not new:
        return
    known = (*rollout.alerted, *(alert.key for alert in new))
    ROLLOUTS.save(tx, replace(rollout, alerted=known[-ALERTED_MAX:]))
    todo = f"shipline rollback {rollout.environment}"
    body = {"alerts": [alert.key for alert in new], "deployment_id": _cause(tx, rollout, new)}
    reason = f"{replace(blamed, alerts=tuple(new)).words}. {why_not} To go back: {todo}"
    append(tx, EventWriter(engine.ids, engine.clock, actor), rollout, "AlertFired", body | {"reason": reason})


def _cause(tx: Transaction, rollout: Rollout, alerts: list[Alert]) -> str | None:
    """The deployment, None where it had served well for so long that it is hardly the cause."""
    ended_us = rollout.ended_us if rollout.ended_us is not None else rollout.started_us
    is_soon = min(alert.began_us for alert in alerts) <= ended_us + CAUSED_WITHIN_US
    return deployment_id(tx, rollout) if is_soon else None


def note_ended(tx: Transaction, engine: Engine, alerts: tuple[Alert, ...], actor: Actor) -> None:
    """Put on record that alerts which were blaming a rollout are over."""
    over = {alert.key: alert for alert in alerts if alert.is_over}
    for place in sorted({alert.environment for alert in over.values()}):
        recent = ROLLOUTS.where(tx, environment=place, order="started_us", newest_first=True, limit=RECENT)
        for rollout in recent:
            ended = [key for key in rollout.alerted if key in over]
            if ended:
                left = tuple(key for key in rollout.alerted if key not in over)
                ROLLOUTS.save(tx, replace(rollout, alerted=left))
                events = EventWriter(engine.ids, engine.clock, actor)
                append(tx, events, rollout, "AlertEnded", {"alerts": ended, "left": len(left)})


def _words(alert: Alert) -> str:
    return f"the alert {alert.name} fires" + (f": {alert.summary}" if alert.summary else "")
