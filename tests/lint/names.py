#!/usr/bin/python3
"""The names of all tests can be read and typed: printable ASCII, no longer than a line, no dump of a parameter.

A parametrised test without a name generator is listed with the bytes of its parameter, which differ from run to run.

  names.py BUILD
"""

import re
import subprocess
import sys

LONGEST = 120


def names_in(listed):
    """The names in the output of `ctest -N`."""
    return re.findall(r"^ +Test +#\d+: (.*)$", listed, re.MULTILINE)


def problems_of(name):
    if not re.fullmatch(r"[ -~]+", name):
        yield f"{name!r} has other characters than printable ASCII"
    if len(name) > LONGEST:
        yield f"{name[:40]!r}... has {len(name)} characters"
    if re.search(r"GetParam\(\)|TypeParam|-byte object <", name):
        yield f"{name[:LONGEST]!r} shows how its parameter is printed"


def main():
    listed = subprocess.run(["ctest", "--test-dir", sys.argv[1], "-N"], check=True, capture_output=True).stdout
    names = names_in(listed.decode("utf-8", errors="surrogateescape"))
    found = [problem for name in names for problem in problems_of(name)]
    if not names:
        found = ["ctest lists no test"]
    print("\n".join(found) if found else f"{len(names)} names can be read")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
