#!/usr/bin/env python3
"""Reads the fault server's log of requests: prints, counts, waits.

usage: logread.py DIR [--match REGEX] [--where EXPR] [--count | --wait N | --max FIELD] [FIELD…]

Owns the merging of a request's lines into one record, whose `state` is begun,
held or ended. REGEX is searched in "LISTENER METHOD TARGET STATE", once it ended in
"LISTENER METHOD TARGET STATUS OUTCOME". EXPR is a Python expression over the
record's fields: `status == 206 and "if-range" in headers`. FIELD is a field's
name, headers.NAME for a header; without one whole records are printed.

A client may look before the server has noted the end of what it just received, so
reading waits a moment until all requests are ended or held back.

The fault server answers the same questions itself (faultserver.py, /_log): asking
it is ten times as fast as starting this.
"""

import argparse
import builtins
import json
import os
import re
import sys
import time
from collections.abc import Callable, Sequence

SETTLE_SECONDS = 2.0
POLL_SECONDS = 0.005
SHOWN = 40
STATES = {"begin": "begun", "hold": "held", "resume": "begun", "end": "ended"}


def main() -> int:
    status, text = answer(sys.argv[1:])
    print(text, end="", file=sys.stderr if status else sys.stdout)
    return status


def answer(arguments: Sequence[str]) -> tuple[int, str]:
    """The exit status, and the text for stdout, or stderr if that is not 0."""
    parser = argparse.ArgumentParser()
    parser.add_argument("dir")
    parser.add_argument("fields", nargs="*", metavar="FIELD")
    parser.add_argument("--match", default="", metavar="REGEX")
    parser.add_argument("--where", default="True", metavar="EXPR")
    parser.add_argument("--count", action="store_true")
    parser.add_argument("--max", metavar="FIELD")
    parser.add_argument("--wait", type=int, metavar="N", help="until N records match")
    parser.add_argument("--timeout", type=float, default=10.0, metavar="SECONDS")
    options = parser.parse_intermixed_args(arguments)
    log = Log(os.path.join(options.dir, "requests.jsonl"))
    pattern, where = re.compile(options.match), compile(options.where, "--where", "eval")

    def chosen() -> list[dict]:
        return [record for record in log.read()
                if pattern.search(summary(record)) and eval(where, {}, Fields(record))]

    if options.wait is not None:
        if poll(lambda: len(chosen()) >= options.wait, options.timeout):
            return 0, ""
        lines = [f"no {options.wait} requests {options.match!r} in {options.timeout:g} s, but at last:",
                 *(f"  {summary(record)}" for record in log.read()[-SHOWN:])]
        return 1, "\n".join(lines) + "\n"
    poll(lambda: all(record["state"] != "begun" for record in log.read()), SETTLE_SECONDS)
    if options.count:
        return 0, f"{len(chosen())}\n"
    if options.max:
        return 0, f"{max((field(record, options.max) for record in chosen()), default=0)}\n"
    return 0, "".join(f"{shown(record, options.fields)}\n" for record in chosen())


def shown(record: dict, fields: Sequence[str]) -> str:
    if not fields:
        return json.dumps(record)
    return "\t".join(str(field(record, name)) for name in fields)


class Log:
    """The file as far as it was read, and the records in the order of their beginnings."""

    def __init__(self, path: str) -> None:
        self._file = open(path)
        self._begun_line = ""  # without its end yet
        self._records: dict[int, dict] = {}

    def read(self) -> list[dict]:
        *lines, self._begun_line = (self._begun_line + self._file.read()).split("\n")
        for line in lines:
            entry = json.loads(line)
            event = entry.pop("event")
            if event in STATES:
                record = self._records.setdefault(entry["id"], {})
                record.update(entry, state=STATES[event])
        return list(self._records.values())


def summary(record: dict) -> str:
    end = f"{record['status']} {record['outcome']}" if record["state"] == "ended" else record["state"]
    return f"{record['listener']} {record['method']} {record['target']} {end}"


class Fields(dict):
    """A record's fields as names; one that is not there (yet) is None."""

    def __missing__(self, name: str) -> None:
        if hasattr(builtins, name):
            raise KeyError(name)


def field(record: dict, name: str) -> object:
    first, _, rest = name.partition(".")
    value = record.get(first, "")
    return value.get(rest, "") if rest else value


def poll(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


if __name__ == "__main__":
    sys.exit(main())
