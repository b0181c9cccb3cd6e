"""What a URL or a fixture says of an answer: its parameters, and the bytes to serve.

Owns their parsing and nothing of their meaning, which is in faults.py.
"""

import hashlib
from collections.abc import Iterator
from urllib.parse import quote, unquote

import body


class Params:
    """Names and values, each name perhaps more than once, in order."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs

    @classmethod
    def parse(cls, query: str) -> "Params":
        """From a query string; a plus sign is a plus sign."""
        parts = [part.partition("=") for part in query.split("&") if part]
        return cls([(name, unquote(value, errors="surrogateescape")) for name, _, value in parts])

    @classmethod
    def of(cls, values: dict) -> "Params":
        """From a fixture's object."""
        return cls([(name, str(value)) for name, value in values.items()])

    def __contains__(self, name: str) -> bool:
        return any(key == name for key, _ in self.pairs)

    def get(self, name: str, default: str = "") -> str:
        return next((value for key, value in self.pairs if key == name), default)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]

    def size(self, name: str, default: int | None = None) -> int | None:
        return body.parse_size(self.get(name)) if name in self else default

    def only(self, names: set[str]) -> "Params":
        return Params([pair for pair in self.pairs if pair[0] in names])

    def query(self, without: set[str]) -> str:
        kept = [pair for pair in self.pairs if pair[0] not in without]
        return "&".join(f"{name}={quote(value, '', errors='surrogateescape')}" for name, value in kept)


class Content:
    """The bytes to serve: generated from a seed, or literal."""

    def __init__(self, seed: int = 0, size: int = 0, literal: bytes | None = None) -> None:
        self.seed = seed
        self.literal = literal
        self.size = size if literal is None else len(literal)

    def read(self, start: int, end: int) -> Iterator[bytes | memoryview]:
        if self.literal is None:
            return body.blocks(self.seed, start, end)
        return iter([self.literal[start:end]] if start < end else [])

    def sha256(self) -> str:
        if self.literal is None:
            return body.sha256(self.seed, self.size)
        return hashlib.sha256(self.literal).hexdigest()

    def tag(self) -> str:
        if self.literal is None:
            return hashlib.sha256(b"%d %d" % (self.seed, self.size)).hexdigest()[:20]
        return self.sha256()[:20]
