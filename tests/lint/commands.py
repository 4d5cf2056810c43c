#!/usr/bin/python3
"""The flags of every `detwatch ...` command that a page, script or comment shows exist.

Each command is compared with what the program itself says by --help: its subcommand, and every flag after it. Lines
that end in a backslash are one command.

  commands.py DETWATCH
"""

import re
import subprocess
import sys

import repository

PATTERNS = ("*.md", "deploy/*.yml", "deploy/*.sh", "deploy/*.service")
# Where a command begins: a line of a listing, script or comment, or a piece of code in a sentence.
COMMAND = re.compile(r"(?:^[ \t#]*(?:\$ )?|`|=)(?:[\w./]*/)?(?:detwatch|\"\$detwatch\") ([a-z][a-z-]*)([^`\n]*)", re.MULTILINE)
# A row of a table about a subcommand: the flags in its other columns are of that one.
ROW = re.compile(r"^\| `detwatch ([a-z][a-z-]*)` \|(.*)$", re.MULTILINE)
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z.-]*")


def commands_in(text):
    """(subcommand, flags) of each command shown."""
    joined = re.sub(r"\\\n[\s#]*", " ", text)
    for match in COMMAND.finditer(joined):
        arguments = re.split(r"\s[#|>&;]|\s2>", match.group(2))[0]
        yield match.group(1), FLAG.findall(arguments)
    for match in ROW.finditer(text):
        yield match.group(1), FLAG.findall(match.group(2))


def problems_of(path, text, flags):
    """Sentences about commands of one file. `flags`: the flags that exist, by subcommand."""
    for subcommand, used in commands_in(text):
        if subcommand not in flags:  # a sentence about detwatch
            continue
        for flag in used:
            if flag not in flags[subcommand]:
                yield f"{path}: detwatch {subcommand} has no {flag}"


def flags_of(program):
    """What the program has, by its own word: {subcommand: flags}."""
    def told(*arguments):
        return subprocess.run([program, *arguments, "--help"], check=True, capture_output=True, text=True).stdout
    listed = told().split("Subcommands:")[-1]
    names = re.findall(r"^  ([a-z][a-z-]*)\b", listed, re.MULTILINE)
    return {name: set(FLAG.findall(told(name))) for name in names}


def main():
    flags = flags_of(sys.argv[1])
    found, seen = [], 0
    for path in repository.files(*PATTERNS):
        text = repository.text(path) or ""
        seen += sum(subcommand in flags for subcommand, _ in commands_in(text))
        found += problems_of(path, text, flags)
    if "serve" not in flags or not seen:
        found.append("no command was found")
    print("\n".join(found) if found else f"{seen} commands, every flag exists")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
