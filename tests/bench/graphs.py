"""What tests/bench/commands runs: graphs, written down for each tool.

A graph is a dict from a task's name to its command, a list of words (empty: nothing to
run, the task joins its needs) and the names of its needs, in an order in which
needs come first.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Graph = dict[str, tuple[list[str], list[str]]]


def flat(count: int, *command: str) -> Graph:
    return {f"t{number}": (list(command), []) for number in range(count)}


def chain(count: int, *command: str) -> Graph:
    return {f"t{number}": (list(command), [f"t{number - 1}"] if number else [])
            for number in range(count)}


def joins(count: int, spawns: int = 0) -> Graph:
    """Layers of a thousand; each task needs two of the layer above. Below the last layer
    come tasks that run something while all the others are in memory."""
    width = min(1000, count)
    graph: Graph = {"a": (["true"], []), "b": (["true"], [])}
    for number in range(count):
        above, place = number // width - 1, number % width
        needs = ["a", "b"] if above < 0 else [
            f"t{above * width + place}", f"t{above * width + (place + 1) % width}"]
        graph[f"t{number}"] = ([], needs)
    last = list(graph)[-min(width, count):]
    if spawns:
        graph["all"] = ([], last)
    graph.update({f"s{number}": (["true"], ["all"]) for number in range(spawns)})
    return graph


def quoted(words: list[str]) -> str:
    return " ".join(f"'{word}'" if " " in word else word for word in words)


def spec(graph: Graph) -> Iterator[str]:
    yield '{"tasks": {\n'
    comma = ""
    for name, (command, needs) in graph.items():
        task: dict[str, list[str]] = {"exec": command} if command else {}
        if needs:
            task["needs"] = needs
        yield f"{comma}  {json.dumps(name)}: {json.dumps(task)}"
        comma = ",\n"
    yield "\n}}\n"


def makefile(graph: Graph) -> Iterator[str]:
    yield f".PHONY: all {' '.join(graph)}\nall: {' '.join(graph)}\n"
    for name, (command, needs) in graph.items():
        yield f"{name}: {' '.join(needs)}\n"
        if command:
            yield f"\t{quoted(command)}\n"


def ninja(graph: Graph) -> Iterator[str]:
    rules: dict[str, str] = {}
    builds = []
    for name, (command, needs) in graph.items():
        rule = "phony"
        if command:
            rule = rules.setdefault(quoted(command), f"r{len(rules)}")
        builds.append(f"build {name}: {rule} {' '.join(needs)}\n")
    for command_line, rule in rules.items():
        yield f"rule {rule}\n  command = {command_line}\n"
    yield from builds


def arguments(graph: Graph) -> Iterator[str]:
    """For xargs and parallel: what follows the first word of each command."""
    for command, _ in graph.values():
        yield (quoted(command[1:]) or "x") + "\n"


WRITERS: dict[str, Callable[[Graph], Iterator[str]]] = {
    "json": spec, "mk": makefile, "ninja": ninja, "args": arguments,
}
