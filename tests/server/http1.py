"""HTTP/1.1 on raw sockets: requests in, responses out, and every way to break off.

Owns the connections, the exchanges on them, and the log of requests. Knows no
fault and no GitHub: a handler gets an Exchange and decides. Raw sockets,
because a library would mend what has to be broken.
"""

import email.utils
import fcntl
import itertools
import json
import os
import select
import socket
import struct
import sys
import termios
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:  # imported where it is needed: most tests do without
    import ssl

HEAD_LIMIT = 65536
HANDSHAKE_SECONDS = 10.0
DRAIN_SECONDS = 5.0
GOODBYE_SECONDS = 0.5
# Without POLLRDHUP (not Linux) a client that leaves is seen at the next write only.
LEFT = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR

Headers = Iterable[tuple[str, str]]


class Gone(Exception):
    """The client has left."""


class BadRequest(Exception):
    """What came in is no request."""


class Latch:
    """Opens once. Waiters poll `fd`, which comes to its end when it opens."""

    def __init__(self) -> None:
        self.fd, self._write_end = os.pipe()
        self._lock = threading.Lock()

    def open(self) -> None:
        with self._lock:
            if self._write_end >= 0:
                os.close(self._write_end)
                self._write_end = -1


class Log:
    """requests.jsonl: one line when a request begins, one when it ends, and one
    for each time it is held back and let go. Counts what is in progress."""

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._inflight: dict[str, int] = {}

    def write(self, event: str, record: dict) -> None:
        line = json.dumps({"event": event, **record}) + "\n"
        with self._lock:
            os.write(self._fd, line.encode())

    def begin(self, record: dict) -> None:
        listener = record["listener"]
        with self._lock:
            self._inflight[listener] = self._inflight.get(listener, 0) + 1
            record["id"] = next(self._ids)
            record["inflight"] = sum(self._inflight.values())
            record["inflight_here"] = self._inflight[listener]
        self.write("begin", record)

    def leave(self, listener: str) -> None:
        with self._lock:
            self._inflight[listener] -= 1


class Request:
    """One request, parsed. `path` and `query` are still percent-encoded."""

    def __init__(self, head: bytes) -> None:
        lines = head.decode("utf-8", "surrogateescape").split("\r\n")
        try:
            self.method, self.target, self.version = lines[0].split(" ")
        except ValueError:
            raise BadRequest(lines[0]) from None
        self.headers: dict[str, str] = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon:
                raise BadRequest(line)
            self.headers[name.strip().lower()] = value.strip()
        local = self.target
        if local.startswith("http://"):  # to a proxy: we are every host
            local = "/" + local.partition("://")[2].partition("/")[2]
        self.path, _, self.query = local.partition("?")

    def segments(self) -> list[str]:
        """The path's parts, split before they are decoded: %2F stays in its part."""
        return [unquote(part, errors="surrogateescape") for part in self.path.split("/")[1:]]


class Exchange:
    """One request and its response. The handler writes; begin and end keep the log."""

    def __init__(self, connection: "Connection", request: Request) -> None:
        self.connection = connection
        self.request = request
        self.listener = connection.listener
        self.keep_alive = (
            request.version == "HTTP/1.1"
            and request.headers.get("connection", "").lower() != "close"
        )
        self.status: int | None = None
        self.sent = 0  # body bytes handed to the kernel
        self.outcome = "ok"
        self.is_first = connection.answers == 0
        self.version = "HTTP/1.1"
        self.head_rate: int | None = None  # bytes a second
        self.head_end: int | None = None  # bytes after which the connection closes
        self.leaving: Callable[[], None] | None = None  # called when it is no longer in progress
        self._counted = False
        self._record = {
            "t": time.monotonic(),
            "listener": self.listener.name,
            "method": request.method,
            "target": request.target,
            "path": unquote(request.path, errors="replace"),
            "headers": request.headers,
            "connection": connection.number,
        }

    def origin(self, name: str = "") -> str:
        """Base URL of the listener of that name, or of this one."""
        if not name:
            host = self.request.headers.get("host", f"127.0.0.1:{self.listener.port}")
            return f"{self.listener.scheme}://{host}"
        other = self.listener.peers[name]
        return f"{other.scheme}://127.0.0.1:{other.port}"

    # The log.

    def begin(self) -> None:
        self.listener.log.begin(self._record)
        self._counted = True

    def settle(self) -> None:
        """No longer in progress. Called before the last bytes go out: a client
        that has them may begin its next request before we are scheduled again."""
        if self._counted:
            self._counted = False
            self.listener.log.leave(self.listener.name)
            if self.leaving:
                self.leaving()

    def end(self) -> None:
        self.settle()
        self.listener.log.write("end", {
            **self._record, "t_end": time.monotonic(), "status": self.status,
            "sent": self.sent, "outcome": self.outcome,
        })

    # The response.

    def head(self, status: int, headers: Headers) -> None:
        if status >= 200:
            self.status = status
        lines = [f"{self.version} {status} {reason(status)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        text = "\r\n".join(lines) + "\r\n\r\n"
        data = text.encode("utf-8", "surrogateescape")
        if status < 200:
            return self.raw(data)
        if self.head_end is not None:
            data = data[: self.head_end]
        if self.head_rate:
            for byte in data:
                self.raw(bytes([byte]))
                self.wait(1 / self.head_rate)
        else:
            self.raw(data)
        if self.head_end is not None:
            self.close()
            raise Gone

    def raw(self, data: bytes | memoryview) -> None:
        try:
            self.connection.socket.sendall(data)
        except OSError:
            raise Gone from None

    def body(self, data: bytes | memoryview, frame: bool = False) -> None:
        """Send a piece of the body; `frame` makes it a chunk of chunked coding."""
        self.raw(b"%x\r\n%b\r\n" % (len(data), bytes(data)) if frame else data)
        self.sent += len(data)

    def respond(self, status: int, headers: Headers, body: bytes = b"") -> None:
        """A whole short response."""
        fixed = [("Date", http_date(time.time()))] if not has(headers, "date") else []
        has_body = status not in (204, 304)  # else it would be in front of the next answer
        fixed += [("Content-Length", str(len(body)))] if has_body else []
        if not self.keep_alive:
            fixed.append(("Connection", "close"))
        bare = not body or self.request.method == "HEAD" or not has_body
        if bare:
            self.settle()
        self.head(status, [*fixed, *headers])
        if not bare:
            self.settle()
            self.body(body)

    # Breaking off, holding back.

    def close(self, outcome: str = "closed") -> None:
        """End the connection with a FIN (on TLS without a close_notify)."""
        self.settle()
        self.outcome = outcome
        self.connection.close()

    def close_politely(self) -> None:
        """End it as one should, with a close_notify before the FIN on TLS."""
        self.settle()
        self.outcome = "closed"
        self.connection.say_goodbye()
        self.connection.close()

    def reset(self) -> None:
        """End it with an RST, after the client has everything sent so far."""
        self.connection.drain()
        self.settle()
        self.outcome = "reset"
        self.connection.close(reset=True)

    def wait(self, seconds: float | None, latch: Latch | None = None) -> None:
        """Until the time is over or the latch opens; Gone when the client leaves."""
        poll = select.poll()
        poll.register(self.connection.socket.fileno(), LEFT)
        if latch:
            poll.register(latch.fd, select.POLLIN)
        ready = poll.poll(None if seconds is None else max(0.0, seconds) * 1000)
        if any(fd != (latch.fd if latch else -1) for fd, _ in ready):
            raise Gone

    def hold(self, latch: Latch | None) -> None:
        """Hold back until the latch opens; without one until the client leaves."""
        note = {"id": self._record["id"], "sent": self.sent}
        self.listener.log.write("hold", note)
        self.wait(None, latch)
        self.listener.log.write("resume", note)


class Connection:
    """One TCP connection, served by one thread."""

    numbers = itertools.count(1)

    def __init__(self, listener: "Listener", sock: socket.socket) -> None:
        self.listener = listener
        self.socket = sock
        self.number = next(self.numbers)
        self.open = True
        self.answers = 0  # given so far
        self.hangs_up = False  # at the next request, without a word
        self._buffer = b""

    def serve(self) -> None:
        try:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.listener.tls:
                self.socket.settimeout(HANDSHAKE_SECONDS)
                self.socket = self.listener.tls.wrap_socket(self.socket, server_side=True)
                self.socket.settimeout(None)
            while self.open and (request := self._read_request()):
                if self.hangs_up:
                    raise BadRequest(f"hung up on {request.target}")
                self._answer(request)
                self.answers += 1
        except BadRequest as bad:
            self.listener.log.write("bad", {"connection": self.number, "line": str(bad)})
        except OSError:  # a failed handshake, a client that left between requests
            pass
        finally:
            self.close()

    def _answer(self, request: Request) -> None:
        exchange = Exchange(self, request)
        if request.path.startswith("/_"):
            self.listener.control(exchange)
            self.open = self.open and exchange.keep_alive
            return
        exchange.begin()
        try:
            self.listener.handler(exchange)
        except Gone:
            exchange.close("client-gone" if exchange.outcome == "ok" else exchange.outcome)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            exchange.close("error")
        finally:
            exchange.end()
        self.open = self.open and exchange.keep_alive

    def _read_request(self) -> Request | None:
        while b"\r\n\r\n" not in self._buffer:
            if len(self._buffer) > HEAD_LIMIT:
                raise BadRequest("head too large")
            data = self.socket.recv(HEAD_LIMIT)
            if not data:
                return None
            self._buffer += data
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        request = Request(head)
        unread = int(request.headers.get("content-length", 0))
        while unread > len(self._buffer):
            unread -= len(self._buffer)
            self._buffer = self.socket.recv(HEAD_LIMIT)
            if not self._buffer:
                return None
        self._buffer = self._buffer[unread:]
        return request

    def say_goodbye(self) -> None:
        """On TLS a close_notify; nothing otherwise."""
        if self.listener.tls:
            try:
                self.socket.settimeout(GOODBYE_SECONDS)  # the peer need not answer it
                self.socket = self.socket.unwrap()
            except OSError:
                pass

    def drain(self) -> None:
        """Until the peer has acknowledged all (an RST throws away what is queued)."""
        deadline = time.monotonic() + DRAIN_SECONDS
        try:
            while time.monotonic() < deadline:
                queued = fcntl.ioctl(self.socket.fileno(), termios.TIOCOUTQ, bytes(4))
                if struct.unpack("i", queued)[0] == 0:
                    return
                time.sleep(0.001)
        except OSError:
            pass

    def close(self, reset: bool = False) -> None:
        self.open = False
        try:
            if reset:
                linger = struct.pack("ii", 1, 0)
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            else:
                self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()


class Listener:
    """A port of 127.0.0.1 and what answers there."""

    def __init__(
        self, name: str, log: Log, handler: Callable[[Exchange], None],
        control: Callable[[Exchange], None], tls: "ssl.SSLContext | None" = None,
    ) -> None:
        self.name = name
        self.log = log
        self.handler = handler
        self.control = control
        self.tls = tls
        self.scheme = "https" if tls else "http"
        self.peers: dict[str, Listener] = {}  # the origins as this one names them
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = self._socket.getsockname()[1]

    def start(self) -> None:
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection = Connection(self, self._socket.accept()[0])
            threading.Thread(target=connection.serve, daemon=True).start()


def reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def http_date(seconds: float) -> str:
    return email.utils.formatdate(seconds, usegmt=True)


def has(headers: Headers, name: str) -> bool:
    return any(key.lower() == name for key, _ in headers)
