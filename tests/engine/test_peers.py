"""Who is alive is judged by beats that change, never by what anybody's clock says."""

from __future__ import annotations

from shipline.engine.peers import Peers

HOUR_US = 3_600_000_000


class Steady:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def is_alive(peers: Peers, beats: dict[str, int], name: str = "b") -> bool:
    return peers.are_alive(beats, frozenset({name}))[name]


def test_a_peer_whose_beat_changes_is_alive_whatever_its_clock_says() -> None:
    steady = Steady()
    peers = Peers(expires_s=10, steady_s=steady)
    for beat_us in (5 * HOUR_US, 4 * HOUR_US, 9 * HOUR_US):
        assert is_alive(peers, {"b": beat_us})
        steady.now_s += 9


def test_a_peer_whose_beat_stands_still_is_dead_after_the_time_given_and_alive_when_it_beats_again() -> None:
    steady = Steady()
    peers = Peers(expires_s=10, steady_s=steady)
    assert is_alive(peers, {"b": HOUR_US}), "nobody is dead at first sight"
    steady.now_s += 9.9
    assert is_alive(peers, {"b": HOUR_US})
    steady.now_s += 0.1
    assert not is_alive(peers, {"b": HOUR_US})
    assert is_alive(peers, {"b": HOUR_US + 1})


def test_a_peer_that_never_beat_is_dead_after_the_time_given() -> None:
    steady = Steady()
    peers = Peers(expires_s=10, steady_s=steady)
    assert is_alive(peers, {})
    steady.now_s += 10
    assert not is_alive(peers, {})


def test_a_peer_that_was_forgotten_is_seen_for_the_first_time_again() -> None:
    steady = Steady()
    peers = Peers(expires_s=10, steady_s=steady)
    is_alive(peers, {"b": 1})
    steady.now_s += 10
    peers.forget(("b",))
    assert is_alive(peers, {"b": 1})
