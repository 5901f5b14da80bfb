"""A small HTTP server for tests, run as a script: prints its port, answers with the name that it is given."""

from __future__ import annotations

import asyncio
import sys

STATUS = {"/fail": "500 Internal Server Error"}


class Backend:
    """Answers GET requests; /hold waits for /go, /drop closes the connection."""

    def __init__(self, name: str) -> None:
        self.name = name.encode()
        self.gate = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while await self.answer(reader, writer):
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request; False when the connection shall end."""
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split(b" ", 2)[1].decode()
        if path == "/drop":
            return False
        if path == "/go":
            self.gate.set()
        if path == "/hold":
            await self.gate.wait()
        close = b"connection: close" in head.lower()
        status = STATUS.get(path, "200 OK").encode()
        extra = b"Connection: close\r\n" if close else b""
        writer.write(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n%b\r\n%b" % (status, len(self.name), extra, self.name))
        return not close


async def main() -> None:
    """Serve until killed."""
    server = await asyncio.start_server(Backend(sys.argv[1]).serve, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - how the test learns the port
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
