"""GitHub's REST API for releases, the download pages, and the storage behind them.

Owns the rules of that service: who sees what, pages, redirects, signatures, rate
limits, errors. What exists is in fixture.py; the same under / and /api/v3.
"""

import hashlib
import json
import math
import os
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import quote

from body import parse_size
from faults import Faults
from fixture import Asset, Fixture, FixtureFile, Release, Repo
from http1 import Exchange, http_date, reason
from params import Content, Params

API_VERSIONS = {"2022-11-28", "2026-03-10"}
JSON_TYPE = "application/json; charset=utf-8"
DOCS = "https://docs.github.com/rest/releases/releases"
STORAGE = "github-production-release-asset"
# An API answer is no file: no ranges, and its ETag is made here.
NO_FILE = [("ranges", "none"), ("etag", "none"), ("lm", "none")]


@dataclass
class Reply:
    """An answer before it is sent."""

    status: int = 200
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)
    key: str = ""  # as in the fixture's errors and raw
    asset: Asset | None = None  # to be sent as it is, instead of the body


class GitHub:
    def __init__(self, path: str | None, faults: Faults) -> None:
        self._file = FixtureFile(path)
        self._faults = faults
        self._lock = threading.Lock()
        self._signatures: dict[str, list] = {}  # to asset, its end, the requests left
        self._limit_began: float | None = None
        self._limit_used = 0

    def serve(self, exchange: Exchange) -> None:
        """A request for `main`."""
        call = Call(self, exchange, self._file.current())
        call.send(call.reply())

    def send(self, exchange: Exchange, fixture: Fixture, reply: Reply) -> None:
        """The reply, unless the fixture spoils it."""
        raw = fixture.spec.get("raw", {})
        errors = fixture.spec.get("errors", {})
        if reply.key in raw:
            headers = [pair for pair in reply.headers if pair[0] != "ETag"]
            reply = Reply(200, raw[reply.key].encode(), headers, reply.key)
        if reply.status == 200 and "pad" in fixture.spec and not reply.asset:
            reply.body += b" " * parse_size(fixture.spec["pad"])
        found = next((key for key in (reply.key, "*") if reply.key and key in errors), None)
        spoil = {"key": f"api {found or exchange.request.target}"} | errors.get(found, {})
        if "status" in spoil and "body" not in spoil:
            spoil["body"] = error_text(spoil["status"], reason(spoil["status"]))
        if "status" in spoil:
            spoil.setdefault("type", JSON_TYPE)
        if reply.asset:
            return self._send_asset(exchange, reply.asset)
        params = Params(Params.of(spoil).pairs + NO_FILE)
        content = Content(literal=reply.body)
        self._faults.serve(exchange, params, content, reply.headers, reply.status)

    # Rate limits.

    def limit(self, fixture: Fixture, free: bool) -> tuple[bool, dict[str, int]]:
        """Counts a request; whether it is refused, and the state for the headers."""
        rule = fixture.spec.get("rate_limit")
        limit = 5000 if fixture.spec.get("token") else 60
        now = time.time() + fixture.spec.get("clock_skew", 0)
        with self._lock:
            self._limit_began = self._limit_began or now
            self._limit_used += not free
            used, reset = self._limit_used, self._limit_began + 3600
            allowed = limit
            if rule:
                reset = self._limit_began + rule.get("reset_in", 30)
                allowed = rule.get("remaining", 0)
            over = now >= reset or used > allowed + rule.get("times", 10**9) if rule else False
        refused = bool(rule) and not over and used > allowed
        remaining = max(0, (limit if over else allowed) - used)
        return refused, {
            "limit": limit, "remaining": remaining, "used": limit - remaining,
            "reset": math.ceil(reset),
        }

    # The storage.

    def sign(self, exchange: Exchange, asset: Asset, ttl: float, uses: int) -> str:
        """A URL of the storage for one asset, valid for a while and so many requests."""
        signature = os.urandom(32).hex()
        with self._lock:
            self._signatures[signature] = [asset.id, time.monotonic() + ttl, uses]
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        name = quote(f"attachment; filename={asset.name}", safe="")
        return (
            f"{exchange.origin('storage')}/{STORAGE}/{asset.release.repo.id}/{asset.id}"
            f"?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={date}&X-Amz-Expires={ttl:g}"
            f"&X-Amz-Signature={signature}&response-content-disposition={name}"
        )

    def serve_storage(self, exchange: Exchange) -> None:
        """A request for `storage`, which knows only signatures."""
        fixture = self._file.current()
        signature = Params.parse(exchange.request.query).get("X-Amz-Signature")
        with self._lock:
            known = self._signatures.get(signature, [0, 0.0, 0])
            number, until, left = known
            known[2] -= 1
        path = exchange.request.segments()
        if path[0] != STORAGE or path[-1] != str(number) or left < 1 or time.monotonic() > until:
            return refuse(exchange, 403, "AccessDenied", "Request has expired")
        if number not in fixture.assets:
            return refuse(exchange, 404, "BlobNotFound", "The specified blob does not exist")
        self._send_asset(exchange, fixture.assets[number])

    def _send_asset(self, exchange: Exchange, asset: Asset) -> None:
        own = Params.parse(asset.spec.get("query", ""))
        params = Params([*own.pairs, ("key", f"asset {asset.id}")])
        name = "".join(c if c.isprintable() else "_" for c in asset.name)
        disposition = ("Content-Disposition", f"attachment; filename={name}")
        self._faults.serve(exchange, params, asset.content(), [disposition])


class Call:
    """One request to the API or to the download pages."""

    def __init__(self, github: GitHub, exchange: Exchange, fixture: Fixture) -> None:
        self.github = github
        self.exchange = exchange
        self.fixture = fixture
        self.query = Params.parse(exchange.request.query)
        path = exchange.request.segments()
        prefix = path[:2] == ["api", "v3"]
        self.path = path[2:] if prefix else path
        self.web = exchange.origin()
        self.api = self.web + ("/api/v3" if prefix else "")
        self.is_page = not prefix and path[2:4] == ["releases", "download"] or (
            not prefix and path[2:5] == ["releases", "latest", "download"])
        token = fixture.spec.get("token")
        given = exchange.request.headers.get("authorization", "")
        self.authorized = token is not None and given in (f"Bearer {token}", f"token {token}")
        self.bad_token = token is not None and bool(given) and not self.authorized

    def send(self, reply: Reply) -> None:
        self.github.send(self.exchange, self.fixture, reply)

    def reply(self) -> Reply:
        if self.is_page:
            return self.page()
        headers = self.exchange.request.headers
        if not headers.get("user-agent"):
            text = b"Request forbidden by administrative rules. Please make sure your request has a User-Agent header\n"
            return Reply(403, text, [("Content-Type", "text/html")])
        reply = self.api_reply(headers)
        if reply.asset is None:
            self.add_etag(reply)
        free = reply.status == 304 or self.path == ["rate_limit"]
        refused, state = self.github.limit(self.fixture, free)
        if refused:
            reply = self.refusal(reply.key)
        if self.path == ["rate_limit"]:
            reply.body = json.dumps({"resources": {"core": state}, "rate": state}).encode()
        reply.headers += [(f"x-ratelimit-{name}", str(value)) for name, value in state.items()]
        reply.headers += [
            ("x-ratelimit-resource", "core"),
            ("x-github-request-id", os.urandom(6).hex().upper()),
            ("Date", http_date(time.time() + self.fixture.spec.get("clock_skew", 0))),
        ]
        return reply

    def refusal(self, key: str) -> Reply:
        rule = self.fixture.spec["rate_limit"]
        status = rule.get("status", 403)
        reply = error(status, "API rate limit exceeded for 127.0.0.1.", key)
        if "retry_after" in rule:
            reply.headers.append(("Retry-After", str(rule["retry_after"])))
        return reply

    def add_etag(self, reply: Reply) -> None:
        if reply.status != 200:
            return
        etag = f'W/"{hashlib.sha256(reply.body).hexdigest()}"'
        reply.headers.append(("ETag", etag))
        if etag in self.exchange.request.headers.get("if-none-match", ""):
            reply.status, reply.body = 304, b""

    # The API.

    def api_reply(self, headers: dict[str, str]) -> Reply:
        if headers.get("x-github-api-version", "2022-11-28") not in API_VERSIONS:
            return error(400, "Invalid API version")
        if self.bad_token:
            return error(401, "Bad credentials")
        if self.exchange.request.method not in ("GET", "HEAD"):
            return error(404, "Not Found")
        match self.path:
            case ["rate_limit"]:
                return Reply()
            case ["repos", owner, name, *rest]:
                return self.in_repo(self.fixture.repos.get(f"{owner}/{name}".lower()), rest)
            case ["repositories", number, *rest] if number.isdigit():
                return self.in_repo(self.fixture.repos_by_id.get(int(number)), rest)
        return error(404, "Not Found")

    def in_repo(self, repo: Repo | None, rest: list[str]) -> Reply:
        page = self.query.get("page", "1")
        key = "/".join(rest) + (f"?page={page}" if page != "1" else "")
        if repo and (new_name := repo.spec.get("renamed_to")):
            return self.moved(self.fixture.repos[new_name.lower()], rest, key)
        if not repo or repo.private and not self.authorized:
            return error(404, "Not Found", key)
        match rest:
            case []:
                return document({"id": repo.id, "full_name": repo.name, "private": repo.private}, key)
            case ["releases"]:
                return self.paged(repo, rest, self.visible(repo), key)
            case ["releases", "latest"]:
                return self.one(repo.latest(), key)
            case ["releases", "tags", tag]:
                return self.one(repo.release(tag), key)
            case ["releases", "assets", number]:
                return self.asset(repo, number)
            case ["releases", number]:
                return self.one(self.by_id(repo, number), key)
            case ["releases", number, "assets"]:
                release = self.by_id(repo, number)
                if release:
                    key = key.replace(number, release.tag, 1)
                    return self.paged(repo, rest, release.assets, key)
            case ["tarball" | "zipball" as kind, tag]:
                return self.source(repo, kind, tag, key)
        return error(404, "Not Found", key)

    def moved(self, repo: Repo, rest: list[str], key: str) -> Reply:
        tail = "/".join(quote(part, safe="") for part in rest)
        query = self.exchange.request.query
        url = f"{self.api}/repositories/{repo.id}/{tail}" + (f"?{query}" if query else "")
        reply = document({"message": "Moved Permanently", "url": url, "documentation_url": DOCS}, key)
        reply.status = 301
        reply.headers.append(("Location", url))
        return reply

    def visible(self, repo: Repo) -> list[Release]:
        drafts = self.authorized and self.fixture.spec.get("token_push")
        return [release for release in repo.releases if drafts or not release.draft]

    def by_id(self, repo: Repo, number: str) -> Release | None:
        return next((r for r in self.visible(repo) if str(r.id) == number), None)

    def one(self, release: Release | None, key: str) -> Reply:
        return document(self.shape(release), key) if release else error(404, "Not Found", key)

    def shape(self, thing: Release | Asset) -> dict:
        if isinstance(thing, Asset):
            return thing.json(self.api, self.web)
        limit = self.fixture.spec.get("embed_limit") or 1000
        return thing.json(self.api, self.web, limit)

    def paged(self, repo: Repo, rest: list[str], things: list, key: str) -> Reply:
        largest = self.fixture.spec.get("page_size") or 100
        size = max(1, min(self.number("per_page", min(30, largest)), largest))
        page, last = self.number("page", 1), max(1, math.ceil(len(things) / size))
        chosen = things[(page - 1) * size : page * size]
        reply = document([self.shape(thing) for thing in chosen], key)
        relations = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        if page == 1:
            del relations["prev"], relations["first"]
        if page >= last:
            del relations["next"], relations["last"]
        base = f"{self.api}/repositories/{repo.id}/{'/'.join(rest)}?per_page={size}&page="
        links = [f'<{base}{number}>; rel="{name}"' for name, number in relations.items()]
        if links:
            reply.headers.append(("Link", ", ".join(links)))
        return reply

    def number(self, name: str, default: int) -> int:
        value = self.query.get(name)
        return max(1, int(value)) if value.isdigit() else default

    def asset(self, repo: Repo, number: str) -> Reply:
        asset = self.fixture.assets.get(int(number)) if number.isdigit() else None
        if not asset or asset.release.repo is not repo:
            return error(404, "Not Found", f"releases/assets/{number}")
        keys = [f"releases/assets/{name}" for name in (number, asset.name)]
        known = self.fixture.spec.get("errors", {}).keys() | self.fixture.spec.get("raw", {}).keys()
        key = next((key for key in keys if key in known), keys[0])
        if "application/octet-stream" not in self.exchange.request.headers.get("accept", ""):
            return document(self.shape(asset), key)
        if not asset.available:
            return error(404, "Not Found", key)
        if asset.spec.get("direct"):
            return Reply(key=key, asset=asset)
        return self.to_storage(asset, key)

    def to_storage(self, asset: Asset, key: str) -> Reply:
        spec = self.fixture.spec
        ttl, uses = spec.get("sign_ttl", 300), spec.get("sign_uses", 10**9)
        uses = 1 if spec.get("sign_once") else uses
        location = self.github.sign(self.exchange, asset, ttl, uses)
        return Reply(302, b"", [("Content-Type", "text/html"), ("Location", location)], key)

    def source(self, repo: Repo, kind: str, tag: str, key: str) -> Reply:
        """The source archives: no length, no ranges, no validator."""
        name = f"{repo.name.replace('/', '-')}-{tag.replace('/', '-')}"
        suffix = "tar.gz" if kind == "tarball" else "zip"
        query = f"size=10K&chunked=1&ranges=none&etag=none&lm=none&disposition={quote(name)}.{suffix}"
        location = f"{self.exchange.origin('storage')}/f/{quote(name)}?{query}"
        return Reply(302, b"", [("Location", location)], key)

    # The pages of the web site.

    def page(self) -> Reply:
        """/O/R/releases/download/TAG/NAME, and latest/download/NAME"""
        owner, name, _, kind, *rest = self.path
        key = "/".join(["download", *rest])
        repo = self.fixture.repos.get(f"{owner}/{name}".lower())
        missing = Reply(404, b"Not Found", [("Content-Type", "text/html; charset=utf-8")], key)
        if not repo or repo.private or not rest:
            return missing
        if kind == "latest":
            release = repo.latest()
            if not release:
                return missing
            tail = f"download/{quote(release.tag)}/{quote(rest[-1])}"
            return Reply(302, b"", [("Location", f"{self.web}/{repo.name}/releases/{tail}")], key)
        release = repo.release("/".join(rest[:-1]))  # a tag may have slashes
        named = [a for a in release.assets if a.name == rest[-1] and a.available] if release else []
        return self.to_storage(named[0], key) if named else missing


def document(value: object, key: str) -> Reply:
    return Reply(200, json.dumps(value).encode(), [("Content-Type", JSON_TYPE)], key)


def error_text(status: int, message: str) -> str:
    return json.dumps({"message": message, "documentation_url": DOCS, "status": str(status)})


def error(status: int, message: str, key: str = "") -> Reply:
    return Reply(status, error_text(status, message).encode(), [("Content-Type", JSON_TYPE)], key)


def refuse(exchange: Exchange, status: int, code: str, message: str) -> None:
    text = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    exchange.respond(status, [("Content-Type", "application/xml")], text.encode())
