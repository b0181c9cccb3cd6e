#!/usr/bin/env python3
"""The bytes of a test body, a pure function of (seed, offset).

Owns that function, and sizes such as 64K. The server sends from it, the tests
compare with it: `body.py SEED SIZE` prints a body, `body.py --sha256 SEED SIZE`
its digest. Each 64 KiB block is one pseudo-random tile, rotated by an amount
that depends on the block's number, so that a body costs no computing and bytes
that land at a wrong offset never look right (within 4 GiB).
"""

import functools
import hashlib
import sys
from collections.abc import Iterator

TILE = 65536
TURN = 40503  # odd, so that the first 65536 blocks are all rotated differently
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def parse_size(text: str | int) -> int:
    """64K -> 65536; powers of 1024, as in ajob itself."""
    text = str(text)
    if text[-1:] in UNITS:
        return int(text[:-1]) * UNITS[text[-1]]
    return int(text)


@functools.lru_cache(maxsize=256)
def tile(seed: int) -> memoryview:
    once = hashlib.shake_256(b"body %d" % seed).digest(TILE)
    return memoryview(once + once)  # twice, so that a rotation is one slice


def blocks(seed: int, start: int, end: int) -> Iterator[memoryview]:
    """The bytes [start, end) of the body, in pieces of at most 64 KiB."""
    view = tile(seed)
    while start < end:
        number, skip = divmod(start, TILE)
        at = (number * TURN + skip) % TILE
        take = min(TILE - skip, end - start)
        yield view[at : at + take]
        start += take


@functools.lru_cache(maxsize=4096)
def sha256(seed: int, size: int) -> str:
    digest = hashlib.sha256()
    for block in blocks(seed, 0, size):
        digest.update(block)
    return digest.hexdigest()


def main(arguments: list[str]) -> None:
    digest_only = arguments[:1] == ["--sha256"]
    if len(arguments) != 2 + digest_only:
        sys.exit("usage: body.py [--sha256] SEED SIZE")
    seed, size = int(arguments[-2]), parse_size(arguments[-1])
    if digest_only:
        print(sha256(seed, size))
        return
    for block in blocks(seed, 0, size):
        sys.stdout.buffer.write(block)


if __name__ == "__main__":
    main(sys.argv[1:])
