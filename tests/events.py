#!/usr/bin/env python3
"""Reads the events of a run: prints some of them, or checks that they are a whole record.

usage: events.py FILE [--where EXPR] [FIELD…]    events that EXPR holds for
       events.py FILE --check [--cut]            the promises of the record; cut: ajob was killed

EXPR is a Python expression over an event's fields; one that is not there is None.
FIELD is a field's name, counts.NAME within counts; without one whole events are
printed.
"""

import argparse
import builtins
import json
import re
import sys

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
STATUSES = {"succeeded", "failed", "timed_out", "cancelled", "skipped"}
# What each event has besides time, seq, event; a task's also has task.
FIELDS = {
    "run.started": {"schema", "version", "tasks"},
    "task.started": {"attempt"},
    "task.ready": set(),
    "task.retrying": {"attempt", "cause", "delay"},
    "task.progress": {"bytes", "total"},
    "task.output": {"stream", "text"},
    "task.note": {"text"},
    "task.ended": {"status", "cause", "exit", "signal", "attempts", "duration"},
    "run.cancelling": {"cause"},
    "run.ended": {"status", "exit", "counts", "duration"},
}


class Fields(dict):
    def __missing__(self, name: str) -> None:
        if hasattr(builtins, name):
            raise KeyError(name)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("fields", nargs="*", metavar="FIELD")
    parser.add_argument("--where", default="True", metavar="EXPR")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--cut", action="store_true")
    options = parser.parse_intermixed_args()
    with open(options.file, "rb") as file:
        text = file.read().decode("utf-8", "strict")
    if text and not text.endswith("\n"):
        sys.exit("the last line is not whole")
    events = [json.loads(line) for line in text.splitlines()]
    if options.check:
        check(events, options.cut)
        return 0
    for event in events:
        if not eval(options.where, {}, Fields(event)):
            continue
        values = [field(event, name) for name in options.fields]
        print(*values, sep="\t") if values else print(json.dumps(event))
    return 0


def field(event: dict, name: str) -> object:
    first, _, rest = name.partition(".")
    value = event.get(first, "")
    return value.get(rest, "") if rest else value


def check(events: list[dict], cut: bool) -> None:
    assert events, "no events at all"
    seqs = [event["seq"] for event in events]
    assert seqs == list(range(1, len(events) + 1)), f"seq has gaps: {seqs[:50]}"
    times = [event["time"] for event in events]
    assert all(TIME.fullmatch(time) for time in times), "a time is not RFC 3339 in UTC"
    assert events[0]["event"] == "run.started" and events[0]["schema"] == 1, events[0]
    attempts: dict[str, int] = {}
    ended: dict[str, dict] = {}
    for event in events:
        kind = event["event"]
        missing = FIELDS[kind] - event.keys()
        assert not missing, f"{missing} missing in {event}"
        if not kind.startswith("task."):
            continue
        task = event["task"]
        assert task not in ended, f"after its end: {event}"
        if kind == "task.started":
            assert event["attempt"] == attempts.get(task, 0) + 1, event
            attempts[task] = event["attempt"]
        elif kind == "task.retrying":  # of a group: the tasks in it begin again
            for before in (attempts, ended):
                for inner in [path for path in before if path.startswith(task + "/")]:
                    del before[inner]
        elif kind == "task.ended":
            check_end(event, attempts.get(task, 0))
            ended[task] = event
    if cut:
        return
    assert attempts.keys() <= ended.keys(), f"no end: {attempts.keys() - ended.keys()}"
    last = events[-1]
    assert last["event"] == "run.ended", last
    assert [event["event"] for event in events].count("run.ended") == 1
    assert set(last["counts"]) == STATUSES, last
    assert last["status"] in STATUSES, last


def check_end(event: dict, attempts: int) -> None:
    assert event["status"] in STATUSES, event
    assert (event["cause"] is None) == (event["status"] == "succeeded"), event
    assert event["attempts"] == attempts, event
    assert event["duration"] >= 0, event


if __name__ == "__main__":
    sys.exit(main())
