"""What the benches share: their environment, a place to work in, a verdict."""

import os
import pathlib
import shutil
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
AJOB = PROJECT / os.environ.get("AJOB", "build/release/ajob")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SCALE = float(os.environ.get("BENCH_SCALE", "1"))
TIMEOUT = float(os.environ.get("BENCH_TIMEOUT", "300"))
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


def scaled(number: int) -> int:
    return max(1, round(number * SCALE))


def fail(text: str) -> None:
    sys.exit(f"bench: {text}")


def filesystem_of(path: str) -> str:
    """The type of the filesystem that holds path; "" where that cannot be told."""
    best = ("", "")
    try:
        with open("/proc/self/mounts", encoding="utf-8") as mounts:
            for line in mounts:
                _, where, kind = line.split()[:3]
                inside = where == "/" or f"{os.path.realpath(path)}/".startswith(f"{where}/")
                if inside and len(where) >= len(best[0]):
                    best = (where, kind)
    except OSError:
        pass
    return best[1]


def place(needed: int) -> str:
    """The directory to work in: a tmpfs with room, or else a word about it."""
    wanted = os.environ.get("BENCH_DIR")
    for path in [wanted] if wanted else ["/dev/shm", "/run/shm", "/tmp"]:
        if not os.access(path, os.W_OK) or filesystem_of(path) != "tmpfs":
            continue
        if shutil.disk_usage(path).free < needed:
            print(f"bench: {path} has less than the {needed // MIB} MiB needed", flush=True)
            continue
        return path
    path = wanted or tempfile.gettempdir()
    print(f"bench: NOT ON A TMPFS: {path}; times include the disk's, do not compare them",
          flush=True)
    return path


def verdict(text: str, met: bool) -> str:
    return f"  {'met   ' if met else 'MISSED'}  {text}"
