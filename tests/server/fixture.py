"""The GitHub that a fixture describes: repositories, releases, assets, their JSON.

Owns the fixture file, read again whenever it was replaced, the numbers given to
what is in it, and the shape of the API's objects. Schema, all keys optional:

{"repos": {"o/r": {"private": false, "renamed_to": "new/name", "releases": [RELEASE…]}},
 "token": "secret",      any other token is 401; without it tokens are not looked at
 "token_push": false     the token sees drafts
 "rate_limit": {"remaining": 0, "reset_in": 30, "status": 403, "retry_after": 2, "times": 1},
 "errors": {KEY: {"status": 502, "body": "<html>", "type": "text/html", "times": 1}},
 "raw": {KEY: "literal body"},
 "page_size": 2,         the largest page, and the default one
 "embed_limit": 30,      how many assets a release object shows
 "sign_ttl": 300,        seconds that a storage URL is valid
 "sign_once": false,     or for one request
 "sign_uses": N,         or for so many
 "pad": "1M",            so much white space behind each answer of the API
 "clock_skew": 0}        seconds that the server's clock is ahead

RELEASE {"tag": "v1", "prerelease": false, "draft": false, "latest": false, "id": N,
         "assets": [ASSET…], "json": {…}}   newest first; json replaces fields
ASSET   {"name": "a.tgz", "size": "1M", "seed": 1, "content": "text ${sha256:a.tgz}",
         "digest": "auto"|null|"bad"|"absent"|"sha256:…", "state": "uploaded",
         "query": "reset_at=64K&times=1", "direct": false, "id": N, "json": {…}}
         query: faults of the storage; direct: the API sends it without a redirect
KEY     the path after repos/O/R/, percent-decoded: releases, releases?page=2,
        releases/latest, releases/tags/TAG, releases/assets/NAME or ID,
        releases/TAG/assets, download/TAG/NAME, or * for all. The values of errors
        are the parameters of faults.py, applied to the answer; raw has status 200
"""

import hashlib
import json
import os
import re
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import quote

import body
from params import Content

NEWEST = 1751328000  # 2025-07-01; each release is a day older than the one before it
DAY = 86400


@dataclass
class Asset:
    id: int
    spec: dict
    release: "Release"

    @property
    def name(self) -> str:
        return self.spec["name"]

    @property
    def available(self) -> bool:
        return self.spec.get("state", "uploaded") == "uploaded"

    def content(self) -> Content:
        if (text := self.spec.get("content")) is not None:
            filled = re.sub(r"\$\{sha256:([^}]+)\}", self._digest_of, text)
            return Content(literal=filled.encode())
        return Content(self.spec.get("seed", 0), body.parse_size(self.spec.get("size", 0)))

    def _digest_of(self, match: re.Match) -> str:
        asset = next(asset for asset in self.release.assets if asset.name == match[1])
        return asset.content().sha256()

    def json(self, api: str, web: str) -> dict:
        release, content = self.release, self.content()
        base = f"{api}/repos/{release.repo.name}/releases"
        path = f"{release.repo.name}/releases/download/{quote(release.tag)}/{quote(self.name)}"
        document = {
            "url": f"{base}/assets/{self.id}", "id": self.id, "node_id": f"RA_{self.id}",
            "name": self.name, "label": "", "uploader": USER,
            "content_type": "application/octet-stream",
            "state": self.spec.get("state", "uploaded"), "size": content.size,
            "digest": self.spec.get("digest", "auto"), "download_count": 7,
            "created_at": release.date(), "updated_at": release.date(),
            "browser_download_url": f"{web}/{path}",
        }
        if document["digest"] == "auto":
            document["digest"] = "sha256:" + content.sha256()
        elif document["digest"] == "bad":
            document["digest"] = "sha256:" + hashlib.sha256(b"bad").hexdigest()
        elif document["digest"] == "absent":
            del document["digest"]
        return document | self.spec.get("json", {})


@dataclass
class Release:
    id: int
    spec: dict
    repo: "Repo"
    index: int
    assets: list[Asset] = field(default_factory=list)

    @property
    def tag(self) -> str:
        return self.spec["tag"]

    @property
    def draft(self) -> bool:
        return self.spec.get("draft", False)

    @property
    def prerelease(self) -> bool:
        return self.spec.get("prerelease", False)

    def date(self) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NEWEST - self.index * DAY))

    def json(self, api: str, web: str, embed_limit: int) -> dict:
        base, tag = f"{api}/repos/{self.repo.name}", quote(self.tag, safe="")
        return {
            "url": f"{base}/releases/{self.id}",
            "assets_url": f"{base}/releases/{self.id}/assets",
            "html_url": f"{web}/{self.repo.name}/releases/tag/{tag}",
            "id": self.id, "author": USER, "node_id": f"RE_{self.id}",
            "tag_name": self.tag, "target_commitish": "main", "name": self.tag,
            "draft": self.draft, "immutable": False, "prerelease": self.prerelease,
            "created_at": self.date(), "updated_at": self.date(),
            "published_at": None if self.draft else self.date(),
            "assets": [asset.json(api, web) for asset in self.assets[:embed_limit]],
            "tarball_url": f"{base}/tarball/{tag}", "zipball_url": f"{base}/zipball/{tag}",
            "body": f"Notes of {self.tag}",
        } | self.spec.get("json", {})


@dataclass
class Repo:
    id: int
    name: str
    spec: dict
    releases: list[Release] = field(default_factory=list)

    @property
    def private(self) -> bool:
        return self.spec.get("private", False)

    def latest(self) -> Release | None:
        full = [release for release in self.releases if not release.draft and not release.prerelease]
        marked = [release for release in full if release.spec.get("latest")]
        return next(iter(marked + full), None)

    def release(self, tag: str) -> Release | None:
        """Drafts have no tag yet."""
        return next((r for r in self.releases if r.tag == tag and not r.draft), None)


class Fixture:
    """One reading of the fixture, with everything numbered."""

    def __init__(self, spec: dict) -> None:
        self.spec = spec
        self.repos: dict[str, Repo] = {}
        self.repos_by_id: dict[int, Repo] = {}
        self.assets: dict[int, Asset] = {}
        for number, (name, repo_spec) in enumerate(spec.get("repos", {}).items(), 1001):
            repo = Repo(number, name, repo_spec)
            self.repos[name.lower()] = self.repos_by_id[number] = repo
            for index, release_spec in enumerate(repo_spec.get("releases", [])):
                number = release_spec.get("id", repo.id * 1000 + index)
                release = Release(number, release_spec, repo, index)
                repo.releases.append(release)
                for position, asset_spec in enumerate(release_spec.get("assets", [])):
                    number = asset_spec.get("id", release.id * 10000 + position)
                    asset = Asset(number, asset_spec, release)
                    release.assets.append(asset)
                    self.assets[number] = asset


class FixtureFile:
    """The file; `current()` follows its replacements."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._stamp: tuple | None = None
        self._fixture = Fixture({})
        self._lock = threading.Lock()

    def current(self) -> Fixture:
        if self._path is None:
            return self._fixture
        with self._lock:
            found = os.stat(self._path)
            stamp = found.st_ino, found.st_mtime_ns, found.st_size
            if stamp != self._stamp:
                with open(self._path) as file:
                    self._fixture = Fixture(json.load(file))
                self._stamp = stamp
            return self._fixture


USER = {"login": "octocat", "id": 1, "type": "User", "site_admin": False}
