#!/usr/bin/python3
"""Checks that every #include follows the arrows between the rooms of lib/ and the folders of daemon/.

The arrows are read from the table of rooms in ARCHITECTURE.md: its last column says what a room sees. An arrow that is
missing there is a decision, not an oversight: add it only together with the reason why the room needs to know the
other one. lib/ is plain functions, so most of its rooms may not include what opens files and sockets or starts
threads either.
"""

import re
import sys

import repository

TABLE = "ARCHITECTURE.md"
# Who may see generated protobuf code: lib/wire turns it into our own words for everybody else.
PROTOBUF = ("lib/wire/", "tests/", "proto/")

# What a pure room does without, and the rooms that are there for it.
IMPURE = re.compile(
    r"(?:filesystem|fstream|iostream|cstdio|stdio\.h|thread|future|ctime|random|unistd\.h|fcntl\.h|poll\.h|zmq\.h|sys/.*)\Z")
WITH_IO = {"store", "client"}
# Files of daemon/ itself: the first is generated and names the version, the others belong to main.cc.
SEEN_BY_ALL = "daemon/version.h"

ROW = re.compile(r"^\|([^|]*)\|[^|]*\|([^|]*)\|$", re.MULTILINE)
ROOM = re.compile(r"`((?:lib|daemon)/\w+)`")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.MULTILINE)


def arrows_of(table):
    """(room -> the rooms it sees beside itself, problems) as the table of ARCHITECTURE.md has it.

    Rooms are "lib/core", "daemon/http". A last cell is a list of rooms of lib/ without "lib/" and of folders
    "daemon/x"; "–" is none. What stands behind a semicolon is for people.
    """
    rows = [(ROOM.findall(first), last.split(";")[0].strip()) for first, last in ROW.findall(table)]
    rows = [(rooms, last) for rooms, last in rows if rooms]
    known = {room for rooms, _ in rows for room in rooms}
    arrows, problems = {}, [] if rows else ["there is no table of rooms"]
    for rooms, last in rows:
        names = [] if last == "–" else [name.strip() for name in last.split(",")]
        seen = {name if "/" in name else "lib/" + name for name in names}
        problems += [f"`{rooms[0]}` sees \"{name}\", which has no row" for name in sorted(seen - known)]
        for room in rooms:
            if room in arrows:
                problems.append(f"`{room}` has two rows")
            arrows[room] = seen
    for room, seen in arrows.items():
        problems += [f"`{room}` and `{other}` see each other" for other in sorted(seen)
                     if room < other and room in arrows.get(other, set())]
    return arrows, problems


ARROWS, TABLE_PROBLEMS = arrows_of(repository.text(TABLE))


def room_of(path):
    """"lib/core" of "lib/core/time.h", "daemon" of "daemon/main.cc", None of what is in neither."""
    parts = path.split("/")
    if parts[0] not in ("lib", "daemon"):
        return None
    return "/".join(parts[:2]) if len(parts) > 2 else parts[0]


def problems_of(path, content):
    """Broken arrows of one file, as sentences. `path` is relative to the repository, with slashes."""
    room = room_of(path)
    if room and room != "daemon" and room not in ARROWS:
        yield f"{path}: {room} has no row in {TABLE}"
        return
    for target in INCLUDE.findall(content):
        if target.endswith(".pb.h") and not path.startswith(PROTOBUF):
            yield f"{path}: {target}: only lib/wire sees generated protobuf code"
        if not room:
            continue
        if ".." in target.split("/"):
            yield f"{path}: {target}: paths start at the repository, not with .."
        if target.startswith("tests/"):
            yield f"{path}: {target}: code that ships does not see the tests"
        if room.startswith("lib/") and room[4:] not in WITH_IO and IMPURE.match(target):
            yield f"{path}: {target}: {room} is pure; files, sockets and threads are for daemon/"
        other = room_of(target)
        if not other or other == room or (target == SEEN_BY_ALL and room.startswith("daemon")):
            continue
        if room.startswith("lib/") and other.startswith("daemon"):
            yield f"{path}: {target}: lib never sees the daemon"
        elif room == "daemon":  # main.cc puts everything together
            if other not in ARROWS:
                yield f"{path}: {target}: {other} has no row in {TABLE}"
        elif other not in ARROWS[room]:
            yield f"{path}: {target}: there is no arrow from {room} to {other}"


def main():
    found = [f"{TABLE}: {problem}" for problem in TABLE_PROBLEMS]
    sources = repository.files("*.h", "*.cc", "*.h.in", "*.cc.in")
    for path in sources:
        found += problems_of(path.as_posix(), repository.text(path) or "")
    print("\n".join(found) if found else f"{len(sources)} files keep to the arrows")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
