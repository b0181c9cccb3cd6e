"""How long it takes from a signal to the last process gone, and what is left.

Linux: processes are found in /proc, and a pidfd tells when each has ended. What a tool
leaves is ended here, by its pidfd; what could have hidden (a session and a parent of its
own) has a mark in its environment.
"""

import os
import pathlib
import resource
import select
import signal
import subprocess
import time
from dataclasses import dataclass

START_LIMIT = 60.0  # seconds


@dataclass
class Ending:
    """Of one run: when the last process had gone, and how many had not."""

    seconds: float
    left: int


def able() -> bool:
    return hasattr(os, "pidfd_open") and os.path.exists("/proc/self/task")


def children_of(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            text = pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text()
            found += [int(word) for word in text.split()]
    except OSError:
        pass  # it has gone meanwhile
    return found


def name_of(pid: int) -> str:
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def tree_of(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        found += children_of(one)
    return found


def marked(mark: str) -> list[int]:
    """The processes that have the mark in their environment; a zombie has none."""
    found = []
    wanted = mark.encode()
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            if wanted in pathlib.Path(f"/proc/{entry}/environ").read_bytes().split(b"\0"):
                found.append(int(entry))
        except OSError:
            continue
    return found


def wait_for_sleeps(child: subprocess.Popen, count: int) -> list[int]:
    """Until so many of them sleep; returns all that is below."""
    limit = time.monotonic() + START_LIMIT
    while time.monotonic() < limit and child.poll() is None:
        tree = tree_of(child.pid)
        if sum(name_of(pid) == "sleep" for pid in tree) == count:
            return tree
        time.sleep(0.01)
    raise TimeoutError(f"not all of {count} processes came up")


def open_all(pids: list[int]) -> dict[int, int]:
    files: dict[int, int] = {}
    for pid in pids:
        try:
            files[os.pidfd_open(pid)] = pid
        except OSError:
            pass
    return files


def wait_for_ends(files: dict[int, int], began: float, patience: float) -> float:
    """Until all have ended, or for so long; closes those that have. Returns when the
    last one of them did, in seconds since began."""
    last = 0.0
    with select.epoll() as poll:
        for file in files:
            poll.register(file, select.EPOLLIN)
        while files and time.monotonic() - began < patience:
            for file, _ in poll.poll(0.05):
                last = time.monotonic() - began
                poll.unregister(file)
                os.close(file)
                del files[file]
    return last


def end(files: dict[int, int]) -> None:
    for file in files:
        try:
            signal.pidfd_send_signal(file, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.close(file)


def run(argv: list[str], environment: dict[str, str], directory: str, number: signal.Signals,
        to_group: bool, count: int, patience: float) -> Ending:
    """Starts argv, waits until count processes sleep, signals it, and counts."""
    mark = f"AJOB_BENCH_MARK={os.getpid()}.{time.monotonic_ns()}"
    name, value = mark.split("=")
    child = subprocess.Popen(argv, cwd=directory, env=environment | {name: value},
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, start_new_session=True)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    files: dict[int, int] = {}
    try:
        files = open_all(wait_for_sleeps(child, count))
        began = time.monotonic()
        if to_group:
            os.killpg(child.pid, number)
        else:
            os.kill(child.pid, number)
        seconds = wait_for_ends(files, began, patience)
        hidden = [pid for pid in marked(mark) if pid not in files.values()]
        return Ending(seconds, len(files) + len(hidden))
    finally:
        end(files | open_all(marked(mark)))
        child.wait()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
