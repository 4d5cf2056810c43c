#!/usr/bin/python3
"""Checks that every law a header names in its opening comment is the name of a test of its room.

A header says what always holds as "Laws: ThisHolds, ThatHolds." (or "Law:", or "Laws (tests of the same name):"). The
test is a TEST, TEST_F, TEST_P or TYPED_TEST of that name in tests/<room>; a law that only a running daemon can show is
the test function below a comment "# Law: ThisHolds" in tests/e2e. Where another header has the laws: "Laws: see
other.h.".
"""

import re
import sys

import repository

MARK = re.compile(r"\bLaws?(?:\s+\([^)]*\))?:\s+")
NAME = re.compile(r"(?:[A-Z][a-z0-9]*){2,}")
# Rooms whose laws are tested elsewhere too, and where.
ALSO = {
    "core": {"store"},       # KeyValue has two implementations, one of them there
    "settle": {"pipeline"},  # where cuts fall is seen from outside
    "daemon": {"golden"},    # the evaluator, by reference values
}
SEE = re.compile(r"see ([\w/]+\.h)\Z")
CPP_TEST = re.compile(r"\b(?:TEST|TEST_F|TEST_P|TYPED_TEST|TYPED_TEST_P)\(\s*\w+,\s*(\w+)\s*\)")
PYTHON_LAW = re.compile(r"^([ \t]*)# Law: (\w+)\n(?:\1#.*\n)*\1def test_\w+\(", re.MULTILINE)


def opening(content):
    """The text of the comment a header opens with, as one line."""
    lines = []
    for line in content.splitlines():
        if line.startswith("//"):
            lines.append(line[2:].strip())
        elif lines or line != "#pragma once":
            break
    return " ".join(lines)


def lists_of(content):
    """What stands after each "Laws:" of the opening comment, up to the end of its sentence."""
    comment = opening(content)
    for mark in MARK.finditer(comment):
        yield re.split(r"\.(?:\s|\Z)", comment[mark.end():], maxsplit=1)[0].strip()


def laws_of(path, content):
    """(names, problems) of one header."""
    names, problems = [], []
    for text in lists_of(content):
        if SEE.match(text):
            continue
        for name in re.split(r",\s*", text):
            if NAME.fullmatch(name):
                names.append(name)
            else:
                problems.append(f"{path}: \"{name}\" is not the name of a law")
    return names, problems


def tests_of(path, content):
    """Names of the tests in a C++ file, of the laws that a Python file shows."""
    if path.endswith(".py"):
        return {match.group(2) for match in PYTHON_LAW.finditer(content)}
    return set(CPP_TEST.findall(content))


def room_of(path):
    """The folder of tests/ that belongs to a header."""
    top, room = path.split("/")[:2]
    return "daemon" if top == "daemon" else room


def untested(path, names, tests):
    """The laws of a header that have no test. `tests`: the names by folder of tests/."""
    room = room_of(path)
    known = set().union(*(tests.get(folder, set()) for folder in {room, "e2e"} | ALSO.get(room, set())))
    return [name for name in names if name not in known]


def main():
    tests = {}
    for path in repository.files("tests/*.cc", "tests/*.py"):
        if len(path.parts) > 2:
            tests.setdefault(path.parts[1], set()).update(tests_of(path.as_posix(), repository.text(path) or ""))
    found, laws = [], 0
    for path in repository.files("lib/*.h", "daemon/*.h"):
        names, problems = laws_of(path.as_posix(), repository.text(path) or "")
        laws += len(names)
        found += problems
        for name in untested(path.as_posix(), names, tests):
            found.append(f"{path}: {name} has no test of that name in tests/{room_of(path.as_posix())}")
    if not laws:
        found.append("no header names a law")
    print("\n".join(found) if found else f"{laws} laws, each has a test")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
