#!/usr/bin/python3
"""Checks that every #include follows the arrows between the rooms of ARCHITECTURE.md.

An arrow that is missing here is a decision, not an oversight: add it only together with the sentence in
ARCHITECTURE.md that says why the room needs to know the other one.
"""

import re
import sys

import repository

# Room -> the rooms of lib/ it may see, beside itself.
ARROWS = {
    "core": set(),
    "wire": {"core"},
    "delivery": {"core"},
    "store": {"core"},
    "join": {"core"},
    "match": {"core"},
    "accumulate": {"core"},
    "window": {"core", "accumulate"},
    "snapshot": {"core", "accumulate", "window"},
    "judge": {"core", "match"},
    "cells": {"core", "match", "judge", "accumulate", "window", "snapshot"},
    "settle": {"core", "wire", "join", "judge", "accumulate", "cells"},
    "pipeline": {"core", "wire", "delivery", "join", "judge", "accumulate", "cells", "settle", "snapshot"},
    "expose": {"core", "snapshot", "accumulate"},
    "dataset": {"core"},
    "client": {"core", "wire", "delivery"},
}
# Who may see generated protobuf code: lib/wire turns it into our own words for everybody else.
PROTOBUF = ("lib/wire/", "tests/", "proto/")

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.MULTILINE)


def problems_of(path, content):
    """Broken arrows of one file, as sentences. `path` is relative to the repository, with slashes."""
    for target in INCLUDE.findall(content):
        if target.endswith(".pb.h") and not path.startswith(PROTOBUF):
            yield f"{path}: {target}: only lib/wire sees generated protobuf code"
        if not path.startswith(("lib/", "daemon/")):
            continue
        if ".." in target.split("/"):
            yield f"{path}: {target}: paths start at the repository, not with .."
        if target.startswith("tests/"):
            yield f"{path}: {target}: code that ships does not see the tests"
        if not path.startswith("lib/"):
            continue
        room = path.split("/")[1]
        if room not in ARROWS:
            yield f"{path}: room lib/{room} has no line in tests/lint/layers.py"
            return
        if target.startswith("daemon/"):
            yield f"{path}: {target}: lib never sees the daemon"
        if target.startswith("lib/"):
            other = target.split("/")[1]
            if other != room and other not in ARROWS[room]:
                yield f"{path}: {target}: there is no arrow from lib/{room} to lib/{other}"


def main():
    found = []
    sources = repository.files("*.h", "*.cc")
    for path in sources:
        found += problems_of(path.as_posix(), repository.text(path) or "")
    print("\n".join(found) if found else f"{len(sources)} files keep to the arrows")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
