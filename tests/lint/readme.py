#!/usr/bin/python3
"""The example that README.md shows is the file that the tests run, word for word."""

import sys

from repository import ROOT

EXAMPLES = ("lib/python/examples/publish.py",)


def main():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    stale = [name for name in EXAMPLES if (ROOT / name).read_text(encoding="utf-8").rstrip("\n") not in readme]
    for name in stale:
        print(f"README.md does not show {name} as it is")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
