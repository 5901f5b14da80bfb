"""Freezes that are asked for in comments: tried first, declared once for the comment's key, lifted as foretold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shipline.bootstrap.freezing import declare, rules_of
from shipline.bootstrap.orders import tried
from shipline.capabilities.automation import Foretold, Progress, Verb
from shipline.capabilities.freezes import FreezeOrder, declare_freeze, ends_at, foreseen_lift, lift_freezes, told

if TYPE_CHECKING:
    from shipline.bootstrap.places import OrderingPlace
    from shipline.capabilities.automation import Wish

FREEZING = frozenset({Verb.FREEZE, Verb.UNFREEZE})


class AskedFreezes:
    """`/freeze` and `/unfreeze`, as `shipline freeze` does them."""

    def __init__(self, application: OrderingPlace) -> None:
        self._application = application

    def foretell(self, wish: Wish) -> Foretold:
        """What would be closed, and until which minute, or what would be lifted."""
        here, now_us = self._application, self._application.clock.now_us()
        if wish.spoken.verb is Verb.UNFREEZE:
            with here.store.begin() as tx:
                found = foreseen_lift(tx, wish.spoken.environment, now_us)
            sentences = tuple(f"no longer: {told(one)}" for one in found)
            return Foretold(sentences, {"freezes": [one.id for one in found]})
        stage, ends_us = str(wish.spoken.environment), ends_at(str(wish.spoken.until), now_us)
        order = FreezeOrder(stage, ends_us, wish.spoken.reason)
        held = rules_of(here)
        freeze = tried(here.store, lambda tx: declare_freeze(tx, here.events, order, wish.actor, held))
        return Foretold((told(freeze),), {"stage": stage, "ends_us": ends_us, "reason": order.reason})

    def carry(self, wish: Wish, plan: dict[str, Any]) -> Progress:
        """Exactly that; what has ended by itself meanwhile has ended."""
        here = self._application
        if wish.spoken.verb is Verb.UNFREEZE:
            with here.store.begin() as tx:
                lift_freezes(tx, here.events, tuple(plan["freezes"]), wish.actor)
            return Progress("lifted", (), ended=True, plan=plan)
        order = FreezeOrder(plan["stage"], plan["ends_us"], plan["reason"], wish.key)
        return Progress("frozen", (told(declare(here, order, wish.actor)),), ended=True, plan=plan)
