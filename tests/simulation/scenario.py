"""What a world is like and what happens in it: drawn from a seed, pure.

All times are seconds of the steady clock since the rollout was ordered.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from shipline.capabilities.rollouts import Concurrency, Preview, PreviewBy, Strategy, StrategyKind, WeightStep

PORTS = ("target", "proxy", "counts", "commands")
EFFECTS = {
    "target": frozenset({"prepare", "run", "stop"}),
    "proxy": frozenset({"claim", "open", "apply", "forget", "close"}),
    "counts": frozenset[str](),
    "commands": frozenset[str](),
}
READS = {
    "target": frozenset({"groups"}),
    "proxy": frozenset({"routes", "open_requests"}),
    "counts": frozenset({"cursor", "read", "trouble"}),
    "commands": frozenset({"run"}),
}
TROUBLES = ("down", "refuse", "lost", "hang", "late", "lie", "bug")
KINDS = (
    StrategyKind.ALL_AT_ONCE,
    StrategyKind.ROLLING,
    StrategyKind.ROLLING,
    StrategyKind.BLUE_GREEN,
    StrategyKind.CANARY,
    StrategyKind.CANARY,
    StrategyKind.CANARY,
)
VERBS = ("pause", "resume", "promote", "abort", "skip")


@dataclass(frozen=True, slots=True)
class Episode:
    """From `begin_s` to `end_s` a call of this port suffers the trouble with this chance, 0 to 1.

    down: no answer. refuse: an error that no retry mends. lost: done, and the answer is lost. hang: `amount_s` without
    an answer. late: done after `amount_s`. lie: answered as if it were done, and nothing is. bug: the provider raises
    what nobody expects. Calls that only read are neither lost nor lied about.
    """

    port: str
    kind: str
    begin_s: float
    end_s: float
    chance: float
    amount_s: float


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happens once, by itself: an order, a word of the operator, a death, or a jump of the clock.

    `what` says which, `word` is a verb, a version, or (of `stall`) the effect before which who comes to it first stands
    still; `amount` is of seconds, or says which copy.
    """

    at_s: float
    what: str
    word: str = ""
    amount: float = 0.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """One world. `error_rate` is the new version's; the old one fails for nobody. `drain_s` is how long requests go on.

    `kills` are the numbers of the points at which the process dies that passes them. `freezes` say for how many seconds
    one stands still that is about to make the effect of this number. `has_check` and `has_verification` say what else
    than an analysis could turn it back.
    """

    seed: int
    strategy: Strategy
    instances: int
    nodes: int
    error_rate: float
    requests_per_s: float
    drain_s: float
    slow_s: float
    has_check: bool
    has_verification: bool
    kills: frozenset[int]
    freezes: dict[int, float]
    episodes: tuple[Episode, ...]
    happenings: tuple[Happening, ...]

    @property
    def is_bad(self) -> bool:
        """True if nobody should have the new version."""
        return self.error_rate > 0.0


def drawn(seed: int) -> Scenario:
    """The world of this seed."""
    chance = random.Random(f"scenario {seed}")  # noqa: S311 - repeatable on purpose
    wildness = chance.choice((0, 1, 1, 2, 2, 3))
    nodes = chance.choice((1, 2))
    return Scenario(
        seed=seed,
        strategy=_strategy(chance),
        instances=chance.choice((1, 2, 2, 3)),
        nodes=nodes,
        error_rate=chance.choice((0.0, 0.25, 0.6, 1.0)),
        requests_per_s=chance.choice((100.0, 300.0)),
        drain_s=chance.choice((0.0, 0.0, 0.5, 5.0, 60.0)),
        slow_s=chance.choice((0.0, 0.0, 1.5, 20.0)),
        has_check=chance.random() < 0.4,
        has_verification=chance.random() < 0.3,
        kills=frozenset(chance.randrange(1, 500) for _ in range(chance.choice((0, 0, 1, 2, 6)) if wildness else 0)),
        freezes=_freezes(chance, nodes) if wildness else {},
        episodes=tuple(_episode(chance) for _ in range(chance.randrange(0, 3 * wildness + 1))),
        happenings=_in_order((*_happenings(chance, wildness), *_downs(seed, wildness))),
    )


def _strategy(chance: random.Random) -> Strategy:
    kind = chance.choice(KINDS)
    bake_s = chance.choice((0.0, 0.0, 6.0))
    keep_warm_s = chance.choice((0.0, 0.0, 15.0))
    preview = None
    if kind in (StrategyKind.CANARY, StrategyKind.BLUE_GREEN) and chance.random() < 0.25:
        by = chance.choice((*PreviewBy,))
        preview = Preview(by, hold_s=chance.choice((0.0, 4.0)), approve=chance.random() < 0.3)
    steps: tuple[WeightStep, ...] = ()
    if kind is StrategyKind.CANARY and chance.random() < 0.4:
        weights = sorted(chance.sample((0.02, 0.1, 0.25, 0.5, 0.8), chance.randrange(1, 4)))
        steps = tuple(WeightStep(one, chance.choice((2.0, 6.0)), approve=chance.random() < 0.1) for one in weights)
    batch = chance.choice((1, 1, 2)) if kind is StrategyKind.ROLLING else 1
    hold_s = chance.choice((0.0, 3.0)) if kind is StrategyKind.ROLLING else 0.0
    return Strategy(kind, preview, steps, batch, hold_s, bake_s, keep_warm_s)


def _freezes(chance: random.Random, nodes: int) -> dict[int, float]:
    """Long ones are those that others take for a death."""
    many = chance.choice((0, 1, 3, 5)) if nodes > 1 else chance.choice((0, 0, 1))
    return {chance.randrange(1, 50): chance.choice((1.0, 12.0, 25.0, 60.0)) for _ in range(many)}


def _episode(chance: random.Random) -> Episode:
    port = chance.choice(("target", "target", "proxy", "proxy", "proxy", "counts", "commands"))
    kinds: Sequence[str] = TROUBLES if EFFECTS[port] else ("down", "hang", "late", "bug")
    begin_s = chance.uniform(0.0, 30.0)
    return Episode(
        port=port,
        kind=chance.choice(kinds),
        begin_s=begin_s,
        end_s=begin_s + chance.choice((0.5, 3.0, 10.0, 40.0, 90.0)),
        chance=chance.choice((0.1, 0.4, 1.0)),
        amount_s=chance.choice((3.0, 12.0, 45.0)),
    )


def _happenings(chance: random.Random, wildness: int) -> tuple[Happening, ...]:
    found = [Happening(chance.uniform(0.0, 40.0), "say", chance.choice(VERBS)) for _ in range(_few(chance))]
    for _ in range(chance.randrange(0, wildness + 1)):
        at_s = chance.uniform(0.0, 40.0)
        match chance.choice(("copy", "copy", "proxy", "machine", "jump", "jump", "sick", "order", "back")):
            case "jump":
                found.append(Happening(at_s, "jump", amount=chance.choice((-86400.0, -3600.0, -20.0, 20.0, 3600.0))))
            case "order":
                how = chance.choice((*Concurrency,)).value
                found.append(Happening(at_s, "order", how))
            case what:
                found.append(Happening(at_s, what, amount=chance.random()))
    return tuple(found)


def _downs(seed: int, wildness: int) -> tuple[Happening, ...]:
    """Somebody takes the environment down, and brings it up again, perhaps; and whoever stops or starts the proxy or a
    copy then may be taken for dead."""
    chance = random.Random(f"downs {seed}")  # noqa: S311 - repeatable on purpose
    if chance.random() > 0.3:
        return ()
    at_s = chance.uniform(5.0, 100.0)
    found = [Happening(at_s, "down")]
    if wildness and chance.random() < 0.6:
        where = chance.choice(("proxy.close", "proxy.open", "target.stop"))
        found.append(Happening(at_s, "stall", where, chance.choice((12.0, 25.0, 60.0))))
    if len(found) > 1 or chance.random() < 0.6:
        found.append(Happening(at_s + chance.choice((1.0, 15.0, 40.0)), "up"))
    return tuple(found)


def _in_order(found: tuple[Happening, ...]) -> tuple[Happening, ...]:
    return tuple(sorted(found, key=lambda one: (one.at_s, one.what, one.word)))


def _few(chance: random.Random) -> int:
    return chance.choice((0, 0, 0, 1, 2))
