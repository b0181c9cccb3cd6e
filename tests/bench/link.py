#!/usr/bin/env python3
"""Links that are not loopback's, for `hard`.

    link.py pace RATE SIZE    a server that gives each connection RATE bytes a second
    link.py far DELAY PORT    a proxy to PORT that is DELAY seconds away, each way

Both print their port, and end when stdin does.

`pace` serves /NAME of SIZE bytes, with ranges and an ETag. A connection's bytes leave in
pieces of a few milliseconds, each when its time has come, so that it is no faster in its
first second than later, whichever client it is, and however many requests it carries.

`far` hands on every piece of either direction DELAY after it came, in order, however many
are under way: it limits no throughput. connect(2) to it succeeds at once, which over such a
link it would not: so what a client sends first is handed on two DELAYs later than that.
"""

import asyncio
import collections
import re
import sys

PIECE = 16 << 10
ETAG = '"paced"'


# ---- pace -------------------------------------------------------------------


class Pace:
    """When the next bytes of a connection may leave."""

    def __init__(self, rate: float):
        self.rate = rate
        self.due = 0.0

    async def wait(self, size: int) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self.due = max(self.due, now)
        if self.due > now:
            await asyncio.sleep(self.due - now)
        self.due += size / self.rate


def answer(head: bytes, size: int) -> tuple[bytes, int, int]:
    """The head of the answer, and which bytes come after it."""
    lines = head.decode("latin-1").split("\r\n")
    fields = dict(re.split(r":\s*", line, maxsplit=1) for line in lines[1:] if ":" in line)
    fields = {name.lower(): value for name, value in fields.items()}
    first, end, status, extra = 0, size, "200 OK", ""
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", fields.get("range", ""))
    if match and fields.get("if-range", ETAG) == ETAG:
        first, end = int(match[1]), min(int(match[2]) + 1, size) if match[2] else size
        if first >= size:
            head = f"HTTP/1.1 416 No\r\nContent-Range: bytes */{size}\r\nContent-Length: 0\r\n\r\n"
            return head.encode(), 0, 0
        status, extra = "206 Partial", f"Content-Range: bytes {first}-{end - 1}/{size}\r\n"
    said = (f"HTTP/1.1 {status}\r\nContent-Length: {end - first}\r\nAccept-Ranges: bytes\r\n"
            f"ETag: {ETAG}\r\nContent-Type: application/octet-stream\r\n{extra}\r\n")
    return said.encode(), first, first if lines[0].startswith("HEAD") else end


async def pace(rate: float, size: int) -> asyncio.Server:
    tile = memoryview(bytes(range(256)) * (2 * PIECE // 256))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clock = Pace(rate)
        writer.transport.set_write_buffer_limits(high=4 * PIECE)
        try:
            while True:
                said, at, end = answer(await reader.readuntil(b"\r\n\r\n"), size)
                writer.write(said)
                while at < end:
                    length = min(PIECE, end - at)
                    await clock.wait(length)
                    writer.write(tile[at % 256:at % 256 + length])
                    await writer.drain()
                    at += length
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0, backlog=512)


# ---- far --------------------------------------------------------------------


class Lane:
    """One direction: what has come, and when it is to leave."""

    def __init__(self, delay: float):
        self.delay = delay
        self.pieces: collections.deque[tuple[float, bytes | None]] = collections.deque()
        self.out: asyncio.Transport | None = None
        self.is_timed = False

    def put(self, data: bytes | None, extra: float = 0) -> None:
        """None: no more comes."""
        due = asyncio.get_running_loop().time() + self.delay + extra
        if self.pieces:
            due = max(due, self.pieces[-1][0])
        self.pieces.append((due, data))
        self.arm()

    def arm(self) -> None:
        if self.pieces and not self.is_timed and self.out:
            self.is_timed = True
            asyncio.get_running_loop().call_at(self.pieces[0][0], self.hand_on)

    def hand_on(self) -> None:
        now = asyncio.get_running_loop().time()
        self.is_timed = False
        while self.pieces and self.pieces[0][0] <= now + 0.0005:
            _, data = self.pieces.popleft()
            if data is None:
                self.out.close()
            elif not self.out.is_closing():
                self.out.write(data)
        self.arm()


class End(asyncio.Protocol):
    """What comes here goes into a lane; `opened` for who has to know."""

    def __init__(self, lane: Lane, opened, first_extra: float):
        self.lane = lane
        self.opened = opened
        self.extra = first_extra

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.opened(transport)

    def data_received(self, data: bytes) -> None:
        self.lane.put(data, self.extra)
        self.extra = 0

    def connection_lost(self, error: Exception | None) -> None:
        self.lane.put(None)


async def far(delay: float, port: int) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    tasks = set()

    def accepted() -> End:
        there, back = Lane(delay), Lane(delay)

        def opened(client: asyncio.Transport) -> None:
            back.out = client
            task = loop.create_task(connect())
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        async def connect() -> None:
            there.out, _ = await loop.create_connection(
                lambda: End(back, lambda transport: None, 0), "127.0.0.1", port)
            there.arm()

        return End(there, opened, 2 * delay)

    return await loop.create_server(accepted, "127.0.0.1", 0, backlog=512)


async def main() -> None:
    kind, first, second = sys.argv[1:]
    make = {"pace": pace, "far": far}[kind]
    server = await make(float(first), int(second))
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
