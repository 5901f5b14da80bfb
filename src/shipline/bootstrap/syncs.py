"""Two forges that are kept alike, wired: which they are, the hand that makes a pass, and when a server begins one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from shipline.bootstrap.places import Place, trusted_settings
from shipline.capabilities.automation import (
    ALL,
    SYNC,
    Carried,
    Command,
    End,
    Mirroring,
    MirrorRules,
    Side,
    Sync,
    note_failing,
    note_pass,
    order_look,
    recall_passes,
    run_pass,
)
from shipline.configuration.forges import completed
from shipline.configuration.providers import read_provider
from shipline.domain.errors import ConfigurationError, RefusedError, ShiplineError

if TYPE_CHECKING:
    from shipline.configuration import SyncSettings
    from shipline.ports.forge import Budget, Forge

SYNC_COMMAND = Command(SYNC, ALL)
DAY_US = 86_400_000_000
LATE_US = 3_600_000_000
# What a pass has done may want another: a text that was kept, and what people wrote meanwhile.
PASSES_MAX = 5
SOON_S = 1.0


def is_synced(here: Place) -> bool:
    """Whether the settings name another forge."""
    return bool(_settings(here).forge)


def _settings(here: Place) -> SyncSettings:
    """Those of the protected branch, where there is one."""
    return trusted_settings(here).sync


def sync_of(here: Place, *, removals_max: int | None = None) -> Sync:
    """Both forges with what one pass may do. ConfigurationError where the settings name none, or one forge twice."""
    said = _settings(here)
    if here.forge is None or not said.forge:
        raise ConfigurationError(
            "there are no two forges to keep alike", todo="name the other one in [sync.forge], and this one in [forge]"
        )
    kind, settings = read_provider("forge", dict(said.forge), default="")
    other: Forge = kind(settings, here.context("sync"))
    forges = {Side.HERE: here.forge, Side.THERE: other}
    remote = here.settings.release.remote or "origin"
    own = completed(here.settings.forge, here.repository.remote_address(remote) or remote)
    places = {Side.HERE: _place(own), Side.THERE: _place(said.forge)}
    if places[Side.HERE] == places[Side.THERE] and own.get("api_url") == said.forge.get("api_url"):
        raise ConfigurationError(f"[sync.forge] and [forge] are both {places[Side.HERE]}")
    ends = {side: End(places[side], forge, forge.account()) for side, forge in forges.items()}

    def budget(side: Side) -> Budget:
        return forges[side].budget()

    return Sync(
        here.store,
        here.clock,
        ends,
        Side(said.wins),
        said.removals_max if removals_max is None else removals_max,
        budget,
        _mirroring(here, forges),
    )


def _mirroring(here: Place, forges: dict[Side, Forge]) -> Mirroring | None:
    """What carries branches and tags, None where the settings have nothing carried."""
    from shipline.providers.mirror.git import GitMirror

    said = _settings(here).mirror
    if not said.direction:
        return None
    to = {"both": frozenset(Side), "to-here": frozenset({Side.HERE}), "to-there": frozenset({Side.THERE})}
    ends = {side.value: forge.git_access for side, forge in forges.items()}
    rules = MirrorRules(to[said.direction], said.branches, said.tags, said.rewrite)
    return Mirroring(GitMirror(here.context("sync").state, ends), rules)


def _place(table: dict[str, Any]) -> str:
    """What a forge is called in markers, and to people."""
    return f"{table.get('provider', '')} {table.get('repository', '')}"


class SyncHand:
    """Makes both forges alike, pass by pass, as fast as they allow."""

    def __init__(self, application: Place) -> None:
        self._application = application

    def __call__(self, _command: Command, memory: dict[str, Any]) -> Carried:
        """One pass. RefusedError where something stays as it is, or too much would be removed."""
        here = self._application.afresh()
        with here.store.begin() as tx:
            known = recall_passes(tx)
        began_us = here.clock.now_us()
        full = known.full_wanted or began_us - known.full_us > DAY_US
        try:
            passed = run_pass(sync_of(here, removals_max=known.removals_max), full=full)
        except ShiplineError as error:
            if error.retryable:
                self._tell_late(here, known.failing_us or began_us, began_us, error)
            raise
        done, passes = int(memory.get("done", 0)) + len(passed.effects), int(memory.get("passes", 0)) + 1
        if passed.again_us is not None:
            with here.store.begin() as tx:
                note_failing(tx, 0, began_us)
            wait_s = max(SOON_S, (passed.again_us - here.clock.now_us()) / 1_000_000)
            words = f"The forges' limits: {done} changes were made, and it goes on by itself"
            return Carried(words, again_s=wait_s, memory={"done": done, "passes": 0})
        with here.store.begin() as tx:
            note_pass(tx, began_us, full=full)
        if passed.effects and passes < PASSES_MAX:
            return Carried("Looking once more", again_s=SOON_S, memory={"done": done, "passes": passes})
        if passed.troubles:
            raise RefusedError("; ".join(passed.troubles), todo="mend it on either forge; the next look tries again")
        return Carried(f"made {done} changes" if done else "both forges are alike", changed=bool(done))

    def _tell_late(self, here: Place, since_us: int, now_us: int, error: ShiplineError) -> None:
        """What is waited for is told at last: RefusedError once an hour is over, and then each day."""
        late = now_us - since_us > LATE_US
        with here.store.begin() as tx:
            note_failing(tx, now_us + DAY_US - LATE_US if late else since_us, now_us)
        if late:
            raise RefusedError(
                f"no pass has got through for more than {LATE_US // 3_600_000_000} h: {error.sentence()}",
                todo="it is tried again by itself; see that the forge can be reached from here",
            ) from error


class SyncTimer:
    """A chore: a look every now and then, which makes up for hooks that never came."""

    def __init__(self, application: Place) -> None:
        self._application = application
        self._next_s = float("-inf")

    def __call__(self) -> None:
        """Order one when it is time."""
        application = self._application
        if not is_synced(application) or time.monotonic() < self._next_s:
            return
        self._next_s = time.monotonic() + _settings(application).every_s
        with application.store.begin() as tx:
            order_look(tx, application.engine, SYNC_COMMAND)
