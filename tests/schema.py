#!/usr/bin/env python3
"""Prints `accepted FILE` or `rejected FILE` for each JSON file, as a JSON Schema has it.

usage: schema.py SCHEMA FILE...
"""

import json
import sys

import jsonschema


def read(path: str) -> object:
    with open(path, "rb") as file:
        return json.load(file)


def main() -> int:
    schema = read(sys.argv[1])
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    for path in sys.argv[2:]:
        print("accepted" if validator.is_valid(read(path)) else "rejected", path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
