#!/usr/bin/python3
"""Checks for what does not belong in a finished file: unfinished work, switched-off tests, silenced checks
without a reason, paths and hosts of one machine, and files that have outgrown their job."""

import re
import sys

import repository

MOST_LINES = 400
# Written in pieces, so that this file passes its own check.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b|not impl" r"emented|DISA" r"BLED_|GTEST_SK" r"IP\(\)\s*;")
# Machines' own paths and package hosts; a home directory in an example would be one too.
ELSEWHERE = re.compile(r"(?<![\w.])/(?:wo" r"rk|fa" r"rm|ro" r"ot|ho" r"me)/|deb\.deb" r"ian\.org|registry\.np" r"mjs")
SILENCED = re.compile(r"NOL" r"INT(?:NEXTLINE)?(\([^)]*\))?(.*)$", re.MULTILINE)
CODE = (".h", ".cc", ".py", ".sh", ".proto", ".cmake", "CMakeLists.txt")
DATA = ("tests/golden/", "tests/fuzz/corpus/")


def _line(content, match):
    return content.count("\n", 0, match.start()) + 1


def problems_of(path, content):
    """What is wrong in one file, as sentences."""
    for match in UNFINISHED.finditer(content):
        yield f"{path}:{_line(content, match)}: unfinished or switched off: {match.group(0)}"
    for match in ELSEWHERE.finditer(content):
        yield f"{path}:{_line(content, match)}: belongs to one machine: {match.group(0)}"
    for match in SILENCED.finditer(content):
        if not match.group(1) or len(re.findall(r"[A-Za-z]{2,}", match.group(2))) < 2:
            yield f"{path}:{_line(content, match)}: a silenced check needs its name and a reason on the same line"
    if path.endswith(CODE) and content.count("\n") > MOST_LINES:
        yield f"{path}: {content.count(chr(10))} lines; more than {MOST_LINES} are two jobs"


def main():
    found, checked = [], 0
    for path in repository.files():
        name = path.as_posix()
        content = repository.text(path)
        if content is None or name.startswith(DATA):
            continue
        checked += 1
        found += problems_of(name, content)
    print("\n".join(found) if found else f"{checked} files are clean")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
