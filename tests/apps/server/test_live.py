"""Channels: who looks at a page gets its newest state, and the store is asked once for all of them."""

from __future__ import annotations

import asyncio

import pytest

from shipline.apps.server.live import Channel, Frame, Hub, written
from shipline.domain.errors import UnavailableError


class Story:
    """A page whose state a test sets. `asked` counts how often it was rendered."""

    def __init__(self) -> None:
        self.parts = {"head": "one", "rest": "same"}
        self.ended = False
        self.asked = 0

    def render(self) -> Frame:
        self.asked += 1
        return Frame(dict(self.parts), self.ended)


def test_only_what_has_changed_is_taken_in_again() -> None:
    channel = Channel()
    channel.take(Frame({"head": "one", "rest": "same"}))
    assert channel.version == 1
    channel.take(Frame({"head": "one", "rest": "same"}))
    assert channel.version == 1
    channel.take(Frame({"head": "two", "rest": "same"}))
    assert channel.parts == {"head": (2, "two"), "rest": (1, "same")}


def test_data_of_several_lines_is_one_event() -> None:
    assert written("head", "<p>\nx</p>") == b"event: head\ndata: <p>\ndata: x</p>\n\n"
    assert written("ended", "") == b"event: ended\ndata: \n\n"


def test_many_viewers_share_one_look_and_all_see_the_end() -> None:
    """A page that has ended is asked for once, for fifty viewers."""
    story = Story()
    story.ended = True

    async def everybody() -> list[bytes]:
        hub = Hub()

        async def view() -> bytes:
            return b"".join([part async for part in hub.join("/page", story.render)])

        return await asyncio.gather(*(view() for _ in range(50)))

    seen = asyncio.run(everybody())
    assert story.asked == 1
    assert all(b"data: one" in one and one.endswith(written("ended", "")) for one in seen)


def test_a_change_reaches_who_looks_and_nothing_is_asked_once_nobody_does() -> None:
    story = Story()

    async def look() -> None:
        hub = Hub()
        stream = hub.join("/page", story.render)
        received = b""
        async for part in stream:
            received += part
            if b"data: one" in received:
                story.parts = {"head": "two", "rest": "same"}
            if b"data: two" in received:
                break
        await stream.aclose()  # type: ignore[attr-defined]  # an async generator, which starlette closes too
        assert received.count(b"event: rest") == 1
        assert hub.viewers == 0
        await hub.close()

    asyncio.run(look())


def test_there_is_a_limit_to_viewers_and_a_closed_hub_takes_none() -> None:
    story = Story()

    async def crowd() -> None:
        hub = Hub(viewers_max=1)
        first = hub.join("/page", story.render)
        await anext(first)
        with pytest.raises(UnavailableError, match="too many"):
            hub.join("/page", story.render)
        await hub.close()
        assert [part async for part in first][-1:] != [written("ended", "")]
        with pytest.raises(UnavailableError):
            hub.join("/page", story.render)

    asyncio.run(crowd())


def test_a_page_that_fails_sends_its_viewers_away() -> None:
    """Their browsers come again by themselves."""

    def broken() -> Frame:
        raise ZeroDivisionError

    async def view() -> list[bytes]:
        return [part async for part in Hub().join("/page", broken)]

    assert asyncio.run(view()) == [b"retry: 2000\n\n"]
