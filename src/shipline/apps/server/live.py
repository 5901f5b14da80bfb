"""Pages that change while they are looked at, by server-sent events.

However many look at a page, the store is asked once every half second for it, and only while somebody looks. What is
pushed is the rendered parts of the page that have changed. A slow viewer misses intermediate states, never the last.
https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from starlette.concurrency import run_in_threadpool

from shipline.domain.errors import ShiplineError, UnavailableError

POLL_S = 0.5
HEARTBEAT_S = 15.0
VIEWERS_MAX = 200

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Frame:
    """A page's live parts, by name, as HTML. `ended`: it will not change any more."""

    parts: Mapping[str, str]
    ended: bool = False


Render: TypeAlias = Callable[[], Frame]


class Channel:
    """One page that somebody looks at. `version` grows with every change of a part."""

    def __init__(self) -> None:
        self.version = 0
        self.parts: dict[str, tuple[int, str]] = {}
        self.ended = False
        self.closed = False
        self.viewers = 0
        self.task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    def take(self, frame: Frame) -> None:
        """Take a new state in, and wake the viewers if it differs."""
        fresh = {name: html for name, html in frame.parts.items() if self.parts.get(name, (0, ""))[1] != html}
        if fresh:
            self.version += 1
            self.parts |= {name: (self.version, html) for name, html in fresh.items()}
        self.ended = frame.ended
        if fresh or frame.ended:
            self.wake()

    def close(self) -> None:
        """Send the viewers away; a browser comes again by itself."""
        self.closed = True
        self.wake()

    def wake(self) -> None:
        """Let everybody who waits look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def change(self, timeout_s: float) -> bool:
        """Wait for the next change; False if there was none for so long."""
        try:
            await asyncio.wait_for(self._changed.wait(), timeout_s)
        except TimeoutError:
            return False
        return True


class Hub:
    """All channels, by the page's path. Lives in one event loop."""

    def __init__(self, *, viewers_max: int = VIEWERS_MAX) -> None:
        self.viewers_max = viewers_max
        self._channels: dict[str, Channel] = {}
        self._closing = False

    @property
    def viewers(self) -> int:
        """How many look at all pages together."""
        return sum(channel.viewers for channel in self._channels.values())

    def join(self, path: str, render: Render) -> AsyncIterator[bytes]:
        """Begin to look at a page: the bytes of a stream. `render` is called outside of the event loop.

        UnavailableError for one viewer too many, and while the server stops.
        """
        if self._closing or self.viewers >= self.viewers_max:
            raise UnavailableError("too many look at live pages", todo="reload the page to see the newest state")
        return self._view(path, render)

    async def close(self) -> None:
        """End all streams."""
        self._closing = True
        channels = list(self._channels.values())
        for channel in channels:
            channel.close()
        await asyncio.gather(*(channel.task for channel in channels if channel.task), return_exceptions=True)

    def _enter(self, path: str, render: Render) -> Channel:
        channel = self._channels.get(path)
        if channel is None:
            channel = self._channels[path] = Channel()
            channel.task = asyncio.create_task(self._follow(channel, render), name=f"live {path}")
        channel.viewers += 1
        return channel

    async def _view(self, path: str, render: Render) -> AsyncIterator[bytes]:
        channel = self._enter(path, render)
        seen = 0
        try:
            # From the first byte on the browser counts as connected.
            yield b"retry: 2000\n\n"
            while not channel.closed:
                fresh = [(name, html) for name, (version, html) in channel.parts.items() if version > seen]
                seen = channel.version
                for name, html in fresh:
                    yield written(name, html)
                if channel.ended:
                    yield written("ended", "")
                    return
                if not fresh and not await channel.change(HEARTBEAT_S):
                    yield b": still here\n\n"
        finally:
            self._leave(path, channel)

    def _leave(self, path: str, channel: Channel) -> None:
        channel.viewers -= 1
        if channel.viewers == 0:
            channel.close()
            if self._channels.get(path) is channel:
                del self._channels[path]

    async def _follow(self, channel: Channel, render: Render) -> None:
        try:
            while not channel.closed and not channel.ended:
                try:
                    channel.take(await run_in_threadpool(render))
                except ShiplineError as error:
                    log.warning("a live page could not be read and is tried again: %s", error.what)
                await _pause(channel)
        except Exception:
            log.exception("a live page has failed")
        finally:
            if not channel.ended:
                channel.close()


async def _pause(channel: Channel) -> None:
    """Wait until it is time to look again; at most as long if the channel is closed meanwhile."""
    if not channel.closed and not channel.ended:
        await asyncio.sleep(POLL_S)


def written(event: str, data: str) -> bytes:
    """One event as the stream has it."""
    lines = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    return f"event: {event}\n{lines}\n".encode()
