"""Behaviour of webhooks that every Forge owes its callers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shipline.domain.errors import RefusedError, UnavailableError
from shipline.ports.forge import Forge
from shipline.ports.forge.hooks import HookEvent

URL = "http://127.0.0.1:9/hooks/forge"
SECRET = "a-secret-of-the-hook"  # noqa: S105 - of no real hook
EVENTS = frozenset({HookEvent.PUSH, HookEvent.ISSUE})


class HooksConformance:
    """A part of `ForgeConformance`."""

    def test_a_hook_is_there_once_and_as_it_was_wanted_last(
        self, forge: Forge, lose_answer: Callable[[], None]
    ) -> None:
        assert forge.hooks() == ()
        lose_answer()
        try:
            made = forge.ensure_hook(URL, events=EVENTS, secret=SECRET)
        except UnavailableError:
            made = forge.ensure_hook(URL, events=EVENTS, secret=SECRET)
        assert (made.url, made.events, made.active) == (URL, EVENTS, True)
        other = forge.ensure_hook(f"{URL}/other", events=EVENTS, secret=SECRET)
        changed = forge.ensure_hook(URL, events=EVENTS | {HookEvent.RELEASE}, secret="another")  # noqa: S106 - the same
        assert (changed.key, changed.events) == (made.key, EVENTS | {HookEvent.RELEASE})
        assert [hook.key for hook in forge.hooks()] == [made.key, other.key]
        for _ in range(2):
            forge.delete_hook(made.key)
        assert [hook.key for hook in forge.hooks()] == [other.key]

    def test_a_hook_that_is_on_is_left_on(self, forge: Forge) -> None:
        made = forge.ensure_hook(URL, events=EVENTS, secret=SECRET)
        assert forge.revive_hook(made.key).active
        assert forge.deliveries(made.key) == ()

    def test_a_hook_takes_the_right_to_write(self, forge: Forge, forbid: Callable[[], None]) -> None:
        forbid()
        with pytest.raises(RefusedError) as caught:
            forge.ensure_hook(URL, events=EVENTS, secret=SECRET)
        assert SECRET not in caught.value.diagnosis()
