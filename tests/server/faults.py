"""The URL is the fault: /f/NAME?size=1M&seed=7&reset_at=64K&times=2

Owns what can go wrong with the answer for one file, the counters of `times`,
and the latches. Called for /f/ URLs, for release assets, and for API answers
that a fixture spoils. Offsets count the body bytes of one response.

The file   size seed etag=strong|weak|none|change|rotate|VALUE lm=none|DATE
           disposition=NAME type=TYPE     (change: another file after one request)
           range_etag=KIND range_lm=none|DATE range_seed=N   what a request with a
           Range gets to see instead: another version, where the others see the old one
           change_at=SIZE    from there on the bytes of the file seed+1
The server ranges=none if_range=ignore|never chunked=1|bad trailer=NAME:VALUE
           slow=SIZE (bytes a second, of one answer)
           rtt=SECONDS (before each answer, before a connection's first twice)
           most=N [most_with=STATUS|reset]  no more than N requests of the key at once
When       times=N (the first N requests of the key), after=N (not the first N),
           key=KEY (default: path and query), only=range|whole (requests with a
           Range, without one). What is above stays all the time
           begin=SIZE  the key's first request has no fault but a reset there; times and
           after count from the next one on
Instead    status=N [body=TEXT] html=1 redirect=URL|storage|tls|main|loop|tls2http|HOPS
           [redirect_status=N] [redirect_body=SIZE] garbage=1 empty=1|reset
           signed=N    with redirect=storage|tls|main: each redirect's URL is good for
           N requests, then it is 403; `times` counts at the target
Headers    retry_after=N|date:+N header=NAME:VALUE big_header=SIZE early=N (so many 103)
Timing     latch=NAME [latch_at=SIZE] delay=SECONDS
           slow_head=N (bytes of the head a second)
Breaking   reset_at=SIZE close_at=SIZE [notify=1: with TLS's close_notify] stall_at=SIZE
           cut_head=N (after so many bytes of the head) hang_up=1 (after the answer,
           unannounced) hang_up=next (at the connection's next request)
Ranges     wrong_start=N wrong_total=N range_max=SIZE multipart206=1 range_unit=UNIT
           no_content_range=1 content_range=TEXT h416=equal|other|bare
           unasked206=START (to a request without Range) rest200=1 (status 200, the rest)
Length     length=none|SIZE gzip=1|lie http10=1 more=N (so many bytes beyond the end)
"""

import gzip
import os
import re
import threading
import time
from collections.abc import Iterator
from urllib.parse import quote

import body
from http1 import Exchange, Headers, Latch, has, http_date, reason
from params import Content, Params

LAST_MODIFIED = "Wed, 01 Jan 2025 00:00:00 GMT"
CHANGED = "Thu, 02 Jan 2025 00:00:00 GMT"
BOUNDARY = "next-part"
LOGIN = "<!DOCTYPE html><title>Sign in</title><form>Please sign in</form>\n"
# What the file or the server is, rather than a fault: `times` does not take it away.
LASTING = {
    "size", "seed", "etag", "lm", "disposition", "type", "ranges", "if_range", "chunked",
    "range_etag", "range_lm", "range_seed", "trailer", "rtt", "slow", "most", "most_with",
}


class Faults:
    """The state of the server that outlives a request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latches: dict[str, Latch] = {}
        self._counts: dict[str, int] = {}
        self._busy: dict[str, int] = {}  # requests of a key in progress
        self._uses: dict[str, int] = {}  # left, of each signature

    def latch(self, name: str) -> Latch:
        with self._lock:
            return self._latches.setdefault(name, Latch())

    def count(self, key: str) -> int:
        """How many requests this key had before this one."""
        with self._lock:
            before = self._counts.get(key, 0)
            self._counts[key] = before + 1
            return before

    def enter(self, exchange: Exchange, key: str, most: int) -> bool:
        """Whether one more of this key may be in progress; counts it until it leaves."""
        with self._lock:
            if self._busy.get(key, 0) >= most:
                return False
            self._busy[key] = self._busy.get(key, 0) + 1
        exchange.leaving = lambda: self._leave(key)
        return True

    def _leave(self, key: str) -> None:
        with self._lock:
            self._busy[key] -= 1

    def sign(self, uses: int) -> str:
        """A signature that is good for so many requests."""
        signature = os.urandom(16).hex()
        with self._lock:
            self._uses[signature] = uses
        return signature

    def is_signed(self, signature: str) -> bool:
        with self._lock:
            left = self._uses.get(signature, 0)
            self._uses[signature] = left - 1
            return left > 0

    def serve_file(self, exchange: Exchange) -> None:
        """/f/NAME?…"""
        params = Params.parse(exchange.request.query)
        content = Content(int(params.get("seed", "0")), params.size("size", 0))
        self.serve(exchange, params, content)

    def serve(
        self, exchange: Exchange, params: Params, content: Content, headers: Headers = (),
        status: int = 200,
    ) -> None:
        """Answer with the content, unless and until the parameters spoil it."""
        key = params.get("key") or exchange.request.target
        answer = Answer(self, exchange, params, content, list(headers), status)
        if "rtt" in params:
            exchange.wait(float(params.get("rtt")) * (2 if exchange.is_first else 1))
        if "signed" in params and "redirect" in params:
            return answer.redirect()
        if "signature" in params and not self.is_signed(params.get("signature")):
            return answer.text(403, "AccessDenied: Request has expired\n", "text/plain")
        if "most" in params and not self.enter(exchange, key, int(params.get("most"))):
            return answer.too_many()
        if "begin" in params and self.count(f"begin {key}") == 0:
            answer.params = Params([*params.only(LASTING).pairs, ("reset_at", params.get("begin"))])
            return answer.give()
        kind = "range" if "range" in exchange.request.headers else "whole"
        if params.get("only", kind) != kind:
            answer.params = params.only(LASTING)
            return answer.give()
        before = self.count(key)
        answer.before = before + ("begin" in params)
        after = int(params.get("after", "0"))
        last = after + int(params.get("times", "1000000000"))
        if not after <= before < last:
            answer.params = params.only(LASTING)
        answer.give()


class Answer:
    """One answer being given; the methods are in the order of its life."""

    def __init__(
        self, faults: Faults, exchange: Exchange, params: Params, content: Content,
        headers: list[tuple[str, str]], status: int,
    ) -> None:
        self.faults = faults
        self.exchange = exchange
        self.asked = exchange.request.headers
        self.params = params
        self.content = content
        self.headers = headers
        self.status = status
        self.before = 0  # requests of the key before this one
        self.etag = self.modified = ""

    def give(self) -> None:
        exchange, params = self.exchange, self.params
        if "delay" in params:
            exchange.wait(float(params.get("delay")))
        if "latch" in params and "latch_at" not in params:
            exchange.hold(self.faults.latch(params.get("latch")))
        if "empty" in params:
            return exchange.reset() if params.get("empty") == "reset" else exchange.close()
        if "garbage" in params:
            exchange.raw(bytes(body.tile(99)[:512]))
            return exchange.close()
        for _ in range(int(params.get("early", "0"))):
            exchange.head(103, [("Link", "</style.css>; rel=preload"), ("ETag", '"early"')])
        exchange.head_rate, exchange.head_end = params.size("slow_head"), params.size("cut_head")
        self.extra_headers()
        if "redirect" in params:
            return self.redirect()
        if "html" in params:
            return self.text(200, LOGIN, "text/html; charset=utf-8")
        if "status" in params:
            status = int(params.get("status"))
            default = f"{status} {reason(status)}\n"
            dropped = ("etag", "link", "location")  # of the answer that this replaces
            self.headers = [pair for pair in self.headers if pair[0].lower() not in dropped]
            return self.text(status, params.get("body", default), params.get("type", "text/plain"))
        self.file()

    def extra_headers(self) -> None:
        wait = self.params.get("retry_after")
        if wait.startswith("date:+"):  # whole seconds: never earlier than asked
            wait = http_date(int(time.time() + float(wait[6:])) + 1)
        if wait:
            self.headers.append(("Retry-After", wait))
        if "big_header" in self.params:
            self.headers.append(("X-Padding", "x" * self.params.size("big_header")))
        for header in self.params.all("header"):
            name, _, value = header.partition(":")
            self.headers.append((name, value))

    def too_many(self) -> None:
        if self.params.get("most_with") == "reset":
            return self.exchange.reset()
        self.text(int(self.params.get("most_with", "503")), "too many at once\n", "text/plain")

    def redirect(self) -> None:
        exchange, target = self.exchange, self.params.get("redirect")
        query = self.params.query({"redirect", "redirect_status", "redirect_body", "signed"})
        if "signed" in self.params:
            signature = self.faults.sign(int(self.params.get("signed")))
            key = "" if "key" in self.params else f"&key={quote(exchange.request.target, '')}"
            query += f"{key}&signature={signature}"
        here = exchange.request.path + (f"?{query}" if query else "")
        if target == "loop":
            location = exchange.request.target
        elif target == "tls2http":
            location = exchange.origin("http") + here
        elif target in ("storage", "main", "tls"):
            location = exchange.origin(target) + here
        elif target.isdigit():  # so many hops, then the file
            left = f"redirect={int(target) - 1}&" if int(target) > 1 else ""
            location = f"{exchange.request.path}?{left}{query}"
        else:
            location = target
        self.headers.append(("Location", location))
        status = int(self.params.get("redirect_status", "302"))
        if "redirect_body" not in self.params:
            return self.text(status, "", "text/plain")
        size = self.params.size("redirect_body")
        exchange.head(status, [("Content-Length", str(size)), *self.headers])
        for block in body.blocks(0, 0, size):
            exchange.body(block)

    def text(self, status: int, text: str, content_type: str) -> None:
        kept = [pair for pair in self.headers if pair[0].lower() != "content-type"]
        data = text.encode("utf-8", "surrogateescape")
        self.exchange.respond(status, [("Content-Type", content_type), *kept], data)

    # The file.

    def file(self) -> None:
        exchange = self.exchange
        if "http10" in self.params:
            exchange.version, exchange.keep_alive = "HTTP/1.0", False
        self.describe()
        if self.not_modified():
            return self.exchange.respond(304, self.headers)
        status, start, end = self.choose_range()
        if status == 416:
            return self.text(416, "416 Range Not Satisfiable\n", "text/plain")
        if status == 206 and "multipart206" in self.params:
            start, end = self.as_multipart(start, end)
        self.send(200 if "rest200" in self.params else status, start, end)
        if self.params.get("hang_up") == "next":
            exchange.connection.hangs_up = True
        elif "hang_up" in self.params:
            exchange.keep_alive = False

    def describe(self) -> None:
        """The validators, and the headers that are about the file."""
        params, before = self.params, self.before
        etag, modified = params.get("etag", "strong"), params.get("lm")
        changed = etag == "change" and before > 0
        if changed:
            self.content = Content(self.content.seed + 1, self.content.size)
        if "range" in self.asked:
            etag, modified = params.get("range_etag", etag), params.get("range_lm", modified)
            if "range_seed" in params:
                self.content = Content(int(params.get("range_seed")), self.content.size)
        if "gzip" in params:
            self.headers.append(("Content-Encoding", "gzip"))
            if params.get("gzip") != "lie":
                plain = b"".join(self.content.read(0, self.content.size))
                self.content = Content(literal=gzip.compress(plain, 1, mtime=0))
        tag = self.content.tag()
        known = {"strong": f'"{tag}"', "change": f'"{tag}"', "weak": f'W/"{tag}"', "none": "",
                 "rotate": f'"{tag}-{before}"'}
        self.etag = known.get(etag, etag)
        self.modified = modified or (CHANGED if changed else LAST_MODIFIED)
        if self.modified == "none":
            self.modified = ""
        if not has(self.headers, "content-type"):
            self.headers.append(("Content-Type", params.get("type", "application/octet-stream")))
        if self.etag:
            self.headers.append(("ETag", self.etag))
        if self.modified:
            self.headers.append(("Last-Modified", self.modified))
        if params.get("ranges") != "none":
            self.headers.append(("Accept-Ranges", "bytes"))
        if "disposition" in params:
            name = params.get("disposition").replace("\\", "\\\\").replace('"', '\\"')
            self.headers.append(("Content-Disposition", f'attachment; filename="{name}"'))

    def not_modified(self) -> bool:
        if self.status != 200:
            return self.status == 304
        if tags := self.asked.get("if-none-match"):  # compared weakly: RFC 9110, 13.1.2
            known = [tag.strip().removeprefix("W/") for tag in tags.split(",")]
            return bool(self.etag) and (self.etag.removeprefix("W/") in known or tags == "*")
        return bool(self.modified) and self.asked.get("if-modified-since") == self.modified

    def choose_range(self) -> tuple[int, int, int]:
        """Status, first byte, byte after the last; adds Content-Range."""
        params, size = self.params, self.content.size
        whole = self.status, 0, size
        if "unasked206" in params and "range" not in self.asked:
            start = params.size("unasked206")
            self.headers.append(("Content-Range", self.content_range(start, size)))
            return 206, start, size
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.asked.get("range", ""))
        if not asked or asked[0] == "bytes=-" or self.exchange.request.method != "GET":
            return whole
        if params.get("ranges") == "none" or self.status != 200 or not self.range_holds():
            return whole
        first, last = asked.groups()
        start = int(first) if first else max(0, size - int(last))
        end = min(size, int(last) + 1) if first and last else size
        if first and last and int(last) < int(first):
            return whole
        wrong = params.get("h416")
        if wrong or start >= size:
            total = {"bare": None, "other": size + 1}.get(wrong, size)
            if total is not None:
                self.headers.append(("Content-Range", f"bytes */{total}"))
            return 416, 0, 0
        if "range_max" in params:
            end = min(end, start + params.size("range_max"))
        start = min(max(0, start + int(params.get("wrong_start", "0"))), end)
        if not any(name in params for name in ("no_content_range", "multipart206", "rest200")):
            self.headers.append(("Content-Range", self.content_range(start, end)))
        return 206, start, end

    def content_range(self, start: int, end: int) -> str:
        total = self.params.size("wrong_total", self.content.size)
        unit = self.params.get("range_unit", "bytes")
        return self.params.get("content_range", f"{unit} {start}-{end - 1}/{total}")

    def range_holds(self) -> bool:
        condition, mode = self.asked.get("if-range"), self.params.get("if_range")
        if condition is None or mode == "ignore":
            return True
        if mode == "never":
            return False
        strong = self.etag.startswith('"') and condition == self.etag
        return strong or (bool(self.modified) and condition == self.modified)

    def as_multipart(self, start: int, end: int) -> tuple[int, int]:
        part = (f"--{BOUNDARY}\r\nContent-Type: application/octet-stream\r\n"
                f"Content-Range: {self.content_range(start, end)}\r\n\r\n").encode()
        data = b"".join(self.content.read(start, end))
        self.content = Content(literal=part + data + f"\r\n--{BOUNDARY}--\r\n".encode())
        self.headers = [pair for pair in self.headers if pair[0] != "Content-Type"]
        self.headers.append(("Content-Type", f"multipart/byteranges; boundary={BOUNDARY}"))
        return 0, self.content.size

    def send(self, status: int, start: int, end: int) -> None:
        exchange, length = self.exchange, self.params.get("length")
        end += self.params.size("more", 0)
        chunked = "chunked" in self.params
        headers = [("Date", http_date(time.time()))] if not has(self.headers, "date") else []
        if chunked:
            headers.append(("Transfer-Encoding", "chunked"))
        elif length != "none":
            headers.append(("Content-Length", str(self.params.size("length", end - start))))
        if length or self.params.get("chunked") == "bad":  # nothing can follow such a body
            exchange.keep_alive = False
        if not exchange.keep_alive:
            headers.append(("Connection", "close"))
        bare = start == end or exchange.request.method == "HEAD"
        if bare and not chunked:
            exchange.settle()
        exchange.head(status, [*headers, *self.headers])
        if exchange.request.method == "HEAD":
            return
        if self.send_body(start, end, chunked) and chunked:
            exchange.settle()
            trailers = "".join(f"{line}\r\n" for line in self.params.all("trailer"))
            last = f"0\r\n{trailers}\r\n".encode("utf-8", "surrogateescape")
            exchange.raw(b"zz\r\n" if self.params.get("chunked") == "bad" else last)
        if "notify" in self.params and exchange.connection.open and not exchange.keep_alive:
            exchange.close_politely()
            exchange.outcome = "ok"

    def send_body(self, start: int, end: int, chunked: bool) -> bool:
        """Piece by piece, up to each offset where something happens. False: it broke off."""
        steps = [("latch_at", self.open_latch), ("stall_at", self.stall),
                 ("reset_at", self.exchange.reset), ("close_at", self.close),
                 ("change_at", self.change)]
        planned = [(self.params.size(name), step) for name, step in steps if name in self.params]
        at = start
        for offset, step in sorted(planned, key=lambda plan: plan[0]):
            if offset > end - start:
                break
            self.send_piece(at, start + offset, end, chunked)
            at = start + offset
            step()
            if not self.exchange.connection.open:
                return False
        self.send_piece(at, end, end, chunked)
        return True

    def send_piece(self, start: int, stop: int, end: int, chunked: bool) -> None:
        exchange, rate = self.exchange, self.params.size("slow")
        for block in self.content.read(start, stop):
            for piece in slices(block, max(1, rate // 20)) if rate else [block]:
                started = time.monotonic()
                start += len(piece)
                if start == end and not chunked:
                    exchange.settle()
                exchange.body(piece, frame=chunked)
                if rate:
                    exchange.wait(len(piece) / rate - (time.monotonic() - started))

    def open_latch(self) -> None:
        self.exchange.hold(self.faults.latch(self.params.get("latch")))

    def close(self) -> None:
        if "notify" in self.params:
            return self.exchange.close_politely()
        self.exchange.close()

    def change(self) -> None:
        self.content = Content(self.content.seed + 1, self.content.size)

    def stall(self) -> None:
        self.exchange.outcome = "stalled"
        self.exchange.hold(None)


def slices(block: bytes | memoryview, size: int) -> Iterator[bytes | memoryview]:
    return (block[at : at + size] for at in range(0, len(block), size))
