"""Look at the hook, put it right, and tell of what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import select

from shipline.capabilities.automation.watching.rules import Ail, Finding, Mending, Seen, Wanted, hook_to, judge
from shipline.domain.errors import ConflictError, RefusedError
from shipline.ports.forge.hooks import ForgeHooks
from shipline.store.database import Store
from shipline.store.event_writer import EventWriter
from shipline.store.log import last_of
from shipline.store.tables import delivery
from shipline.store.transaction import Transaction

TROUBLED, WELL = "HookTroubled", "HookWell"


@dataclass(frozen=True, slots=True)
class Watched:
    """What a look has found; `mending` is what would put it right, and what cannot be seen cannot be mended."""

    findings: tuple[Finding, ...]
    mending: Mending = field(default_factory=Mending)


@dataclass(frozen=True, slots=True)
class HookHealth:
    """What was told last of a hook: `troubles` in words, none where it works, since `since_us` (UTC)."""

    url: str
    troubles: tuple[str, ...]
    since_us: int


def look_at_hook(forge: ForgeHooks, store: Store, wanted: Wanted) -> Watched:
    """What is wrong. Changes nothing. What passes by itself (a forge that is down) is raised."""
    try:
        hooks = forge.hooks()
        hook = hook_to(wanted.url, hooks)
        sent = forge.deliveries(hook.key) if hook is not None else ()
    except RefusedError as error:
        return Watched((Finding(Ail.UNSEEN, f"the hooks cannot be seen: {error.sentence()}", error.todo),))
    with store.begin() as tx:
        kept = kept_identities(tx, wanted.forge, [each.identity for each in sent if each.identity])
    return Watched(*judge(wanted, Seen(hooks, sent, kept)))


def kept_identities(tx: Transaction, forge: str, identities: list[str]) -> frozenset[str]:
    """Those of them under which something is kept."""
    query = select(delivery.c.delivery).where(
        delivery.c.project_id == tx.project.id, delivery.c.hook == forge, delivery.c.delivery.in_(identities)
    )
    return frozenset(tx.connection.scalars(query))


def mend_hook(forge: ForgeHooks, wanted: Wanted, mending: Mending, secret: str) -> tuple[str, ...]:
    """Put right what is wrong; returns what was done, in words, and what was refused.

    Each of it is safe to do again. What passes by itself is raised, and the next call does what is missing then.
    """
    done: list[str] = []
    try:
        done.extend(_set_right(forge, wanted, mending, secret))
        hook = hook_to(wanted.url, forge.hooks()) if mending.again else None
        if hook is not None and hook.active:
            for key in mending.again:
                forge.redeliver(hook.key, key)
            done.append(f"had {len(mending.again)} deliveries sent again")
    except (RefusedError, ConflictError) as error:
        done.append(f"not done: {error.sentence()}")
    return tuple(done)


def _set_right(forge: ForgeHooks, wanted: Wanted, mending: Mending, secret: str) -> Iterator[str]:
    if mending.events is not None:
        forge.ensure_hook(wanted.url, events=mending.events, secret=secret)
        yield f"set the hook to {wanted.url}"
    elif mending.revive and forge.revive_hook(mending.revive).active:
        yield "switched the hook on"


def tell_health(tx: Transaction, events: EventWriter, wanted: Wanted, findings: tuple[Finding, ...]) -> bool:
    """Append an event if what is wrong is not what was told last; True if one was appended."""
    stream = f"hook:{wanted.forge}"
    tx.lock(stream)
    ails = [finding.ail.value for finding in findings]
    told = last_of(tx, stream)
    before = None if told is None else (told.body["url"], told.body["ails"])
    if before == (wanted.url, ails):
        return False
    troubles = [f"{finding.words}: {finding.todo}" for finding in findings]
    events.append(tx, stream, TROUBLED if ails else WELL, {"url": wanted.url, "ails": ails, "troubles": troubles})
    return True


def hook_health(tx: Transaction, forge: str) -> HookHealth | None:
    """What was told last of the hook of a forge, None where nothing was."""
    told = last_of(tx, f"hook:{forge}")
    if told is None:
        return None
    return HookHealth(told.body["url"], tuple(told.body["troubles"]), told.time_us)
