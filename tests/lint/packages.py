#!/usr/bin/python3
"""What tests/run.sh installs: with --quick nothing that unit tests have no use for, without it all that there is.

Each package stands in one list, and each list is in order, so that one sees what is there.
"""

import re
import subprocess
import sys

from repository import ROOT

# A browser, other compilers, servers and linters: of no use to a unit test, and most of what a full run downloads.
HEAVY = re.compile(r"chromium|clang|llvm|prometheus(?!-cpp)|grafana|shellcheck|benchmark")
LISTS = ("deploy/packages-build.txt", "tests/packages-unit.txt", "tests/packages-system.txt")


def packages_of(text):
    return [words[0] for words in (line.split("#")[0].split() for line in text.splitlines()) if words]


def problems_of(quick, full, lists):
    """Of what run.sh installs (`quick`, `full`: names) and of the lists (names by path), as sentences."""
    for name in filter(HEAVY.search, quick):
        yield f"tests/run.sh --quick installs {name}"
    known = [name for names in lists.values() for name in names]
    for name in sorted({name for name in known if known.count(name) > 1}):
        yield f"{name} is in two lists, or twice in one"
    for path, names in lists.items():
        if names != sorted(names):
            yield f"{path} is not in order"
    if sorted(set(known) - {"prometheus"}) != sorted(set(full) - {"prometheus"}):
        yield f"tests/run.sh installs other packages than the lists have: {sorted(set(known) ^ set(full))}"
    for name in sorted(set(quick) - set(full)):
        yield f"tests/run.sh --quick installs {name}, tests/run.sh does not"


def installed(*arguments):
    """What `tests/run.sh ARGUMENTS` installs."""
    command = [str(ROOT / "tests/run.sh"), *arguments, "--packages"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def main():
    lists = {path: packages_of((ROOT / path).read_text(encoding="utf-8")) for path in LISTS}
    quick, full = installed("--quick"), installed()
    found = list(problems_of(quick, full, lists))
    if not quick or "prometheus" in quick or "prometheus" not in full:
        found.append("tests/run.sh --packages does not say what is installed")
    print("\n".join(found) if found else f"{len(quick)} packages for --quick, {len(full)} for everything")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
