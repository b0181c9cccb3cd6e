#!/usr/bin/env python3
"""Downloads that are killed again and again, at random moments, until one succeeds.

usage: torture.py [--kills N] [--seed N] [--only WAY]

Whatever the moment, under the file's name is the old file, no file or the whole new
one; the run that is not killed has the right file and leaves nothing else. Where a
file is large enough to be resumed, the server sends at most 1.5 times its bytes in
all. Kills at least N times (300), shared among the WAYS. Prints TAP with the seed,
which gives the same moments again. AJOB is the program under test.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "server"))
import body  # noqa: E402

AJOB = os.path.abspath(os.environ.get("AJOB", HERE.parent / "build/release/ajob"))
LIMIT = 60  # seconds that anything may take
MORE = 1.5  # times the file's bytes, at most, however often it was killed
SMALL, LARGE = 200_000, 8 << 20
PACE = "slow=16M"  # a large file takes half a second; what is on its way at a kill is little
QUARTER = "slow=4M"  # of each connection

# How large a file is downloaded, at which pace, by which command. Of a small file it is mostly the beginning and the end that is hit.
WAYS = {
    "large": (LARGE, PACE, ["get", "{url}"]),
    "large, with a digest": (LARGE, PACE, ["get", "--sha256", "{sha256}", "{url}"]),
    "large, over an old file": (LARGE, PACE, ["get", "{url}"]),
    "large, in pieces": (LARGE, QUARTER, ["get", "--segments", "4", "{url}"]),
    "large, in pieces, with a digest": (
        LARGE, QUARTER, ["get", "--segments", "4", "--sha256", "{sha256}", "{url}"]),
    "large asset of a release": (LARGE, "", ["download", "--flat", "o/r"]),
    "small": (SMALL, "", ["get", "{url}"]),
    "small, with a digest, over an old file": (SMALL, "", ["get", "--sha256", "{sha256}", "{url}"]),
    "small, synced, over an old file": (SMALL, "", ["get", "--fsync", "{url}"]),
}


class Wrong(Exception):
    """What must not be."""


class Server:
    """The fault server, and what it has sent."""

    def __init__(self, state: Path) -> None:
        self.state = state
        state.mkdir()
        asset = {"name": "f", "size": LARGE, "seed": 1, "query": PACE}
        fixture = {"repos": {"o/r": {"releases": [{"tag": "v1", "assets": [asset]}]}}}
        (state / "fixture.json").write_text(json.dumps(fixture))
        command = [sys.executable, HERE / "server/faultserver.py", "--state", state,
                   "--github", state / "fixture.json"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.main = f"http://127.0.0.1:{json.loads(self.process.stdout.readline())['main']}"

    def sent(self) -> int:
        """The bytes of all bodies, once no request is under way any more."""
        until = time.monotonic() + LIMIT
        while time.monotonic() < until:
            lines = (self.state / "requests.jsonl").read_text().splitlines()
            records = [json.loads(line) for line in lines]
            ended = [record for record in records if record["event"] == "end"]
            if len(ended) == sum(record["event"] == "begin" for record in records):
                return sum(record["sent"] for record in ended)
            time.sleep(0.01)
        raise Wrong("the server's requests do not end")

    def stop(self) -> None:
        self.process.stdin.close()
        self.process.wait(LIMIT)


class Way:
    """One way to download a file, killed until it succeeds, again and again."""

    def __init__(self, name: str, server: Server, work: Path, seed: int) -> None:
        self.size, query, self.arguments = WAYS[name]
        self.is_old_there = name.endswith("over an old file")
        self.server, self.work = server, work
        self.url = f"{server.main}/f/f?size={self.size}&seed=1&{query}"
        self.right = b"".join(body.blocks(1, 0, self.size))
        self.old = b"".join(body.blocks(2, 0, self.size))
        self.random = random.Random(f"{seed} {name}")
        self.kills = self.files = 0
        self.story: list[str] = []
        self.most = 0.0
        self.seconds = 0.0

    def start(self) -> subprocess.Popen:
        values = {"url": self.url, "sha256": body.sha256(1, self.size)}
        arguments = [argument.format(**values) for argument in self.arguments]
        environment = {**os.environ, "GITHUB_API_URL": self.server.main, "TERM": "dumb"}
        return subprocess.Popen([AJOB, *arguments], cwd=self.work, env=environment,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE)

    def run(self, kills: int) -> None:
        self.fresh()
        begun = time.monotonic()
        self.succeed(self.start())
        self.seconds = time.monotonic() - begun  # without a kill
        while self.kills < kills:
            self.file()

    def file(self) -> None:
        self.fresh()
        before = self.server.sent()
        self.files += 1
        self.story = []  # for whom it goes wrong
        for _ in range(100):
            process = self.start()
            try:
                process.wait(self.random.uniform(0, self.seconds))
            except subprocess.TimeoutExpired:
                process.kill()
            if process.wait(LIMIT) != -signal.SIGKILL:
                self.succeed(process)
                break
            process.stderr.close()
            self.kills += 1
            self.look()
            self.story.append(f"{self.server.sent() - before} sent, {self.part()} kept")
        else:
            self.succeed(self.start())
        if self.size >= LARGE:
            times = (self.server.sent() - before) / self.size
            self.most = max(self.most, times)
            if times > MORE:
                raise Wrong(f"the server has sent {times:.2f} times the file: {'; '.join(self.story)}")

    def fresh(self) -> None:
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir()
        if self.is_old_there:
            (self.work / "f").write_bytes(self.old)

    def content(self) -> bytes | None:
        try:
            return (self.work / "f").read_bytes()
        except FileNotFoundError:
            return None

    def part(self) -> str:
        try:
            with_note = " with a note" if (self.work / "f.part.json").exists() else ""
            return f"{(self.work / 'f.part').stat().st_size}{with_note}"
        except FileNotFoundError:
            return "nothing"

    def look(self) -> None:
        """After a kill."""
        if self.content() not in (self.right, self.old if self.is_old_there else None):
            raise Wrong("what is under the file's name is neither the old file nor the new one")
        left = set(os.listdir(self.work)) - {"f", "f.part", "f.part.json", "f.part.json.tmp"}
        if left:
            raise Wrong(f"left behind: {left}")

    def succeed(self, process: subprocess.Popen) -> None:
        said = process.communicate(timeout=LIMIT)[1].decode(errors="replace")
        if process.returncode:
            raise Wrong(f"exit status {process.returncode}: {said}")
        if self.content() != self.right:
            raise Wrong(f"the file is not right: {said}")
        if os.listdir(self.work) != ["f"]:
            raise Wrong(f"left behind: {os.listdir(self.work)}")


def report(number: int, name: str, directory: Path, seed: int, kills: int) -> str:
    """One line of TAP, and on a failure what explains it."""
    place = directory / str(number)
    place.mkdir()
    server = Server(place / "server")
    way = Way(name, server, place / "work", seed)
    try:
        way.run(kills)
    except (Wrong, subprocess.TimeoutExpired) as wrong:
        where = f"file {way.files}, kill {way.kills}, seed {seed}"
        return f"not ok {number} - {name}\n# {where}: {wrong}"
    finally:
        server.stop()
    times = f", at most {way.most:.2f} times the bytes" if way.most else ""
    return f"ok {number} - {name}: {way.kills} kills of {way.files} files{times}"


def main() -> int:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--only", choices=WAYS)
    options = parser.parse_args()
    names = [options.only] if options.only else list(WAYS)
    kills = -(-options.kills // len(names))
    print(f"1..{len(names)}\n# seed {options.seed}", flush=True)
    is_well = True
    # Mostly the server's pace is waited for.
    with tempfile.TemporaryDirectory(prefix="ajob-torture.") as name, ThreadPoolExecutor(4) as pool:
        directory = Path(name)
        reports = [pool.submit(report, number, name, directory, options.seed, kills)
                   for number, name in enumerate(names, 1)]
        for future in reports:
            print(future.result(), flush=True)
            is_well = is_well and future.result().startswith("ok")
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
