#!/usr/bin/python3
"""Runs clang-tidy over our sources, two at a time, and skips what has not changed since it was last clean.

A file is skipped when its own text, every header of ours it includes, its compile command, .clang-tidy and the
version of clang-tidy are those of its last clean run; what was clean is remembered in ~/.cache/detwatch-tidy.

  tidy.py [--jobs N] [--no-cache] [PART...]      only sources whose path starts with one of PART
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

from repository import ROOT

BUILD = ROOT / "build" / "tidy"
# Beside ccache's, so that a fresh clone starts warm too.
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "detwatch-tidy"
TIDY = "clang-tidy-14"


def configure():
    """A compile database by clang, and the generated headers that the sources include."""
    for command in (["cmake", "--preset", "tidy"],
                    ["cmake", "--build", str(BUILD), "-j2", "--target", "detwatch_proto"]):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{shlex.join(command)} failed:\n{done.stdout}{done.stderr}")


def sources(parts):
    """(path relative to ROOT, compile command) of our own .cc files, largest first."""
    with open(BUILD / "compile_commands.json", encoding="utf-8") as file:
        database = json.load(file)
    chosen = {}
    for entry in database:
        path = pathlib.Path(entry["file"])
        if not path.is_relative_to(ROOT) or path.is_relative_to(ROOT / "build"):
            continue
        name = path.relative_to(ROOT).as_posix()
        if not parts or any(name.startswith(part) for part in parts):
            chosen[name] = entry["command"]
    return sorted(chosen.items(), key=lambda item: -(ROOT / item[0]).stat().st_size)


def dependencies(command):
    """The source and every header of ours that it includes, as the compiler sees it."""
    words = shlex.split(command)
    if os.path.basename(words[0]) == "ccache":
        words = words[1:]
    # Without -o and -c the preprocessor writes the rule to standard output.
    kept, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word == "-o":
            skip = True
        elif word != "-c":
            kept.append(word)
    rule = subprocess.run(kept + ["-MM", "-MT", "x"], cwd=BUILD, capture_output=True, text=True)
    if rule.returncode != 0:
        return None  # it does not compile; clang-tidy says why
    paths = [pathlib.Path(BUILD, word).resolve() for word in shlex.split(rule.stdout.replace("\\\n", " "))[1:]]
    return sorted({p.relative_to(ROOT).as_posix() for p in paths if p.is_relative_to(ROOT)})


def digest(names, command, version):
    """Of everything that decides the outcome; None when a file is gone."""
    result = hashlib.sha256()
    # The path of the clone is no part of it.
    for part in (version, command.replace(str(ROOT), ""), (ROOT / ".clang-tidy").read_text(encoding="utf-8")):
        result.update(part.encode() + b"\0")
    for name in names:
        try:
            result.update(name.encode() + b"\0" + hashlib.sha256((ROOT / name).read_bytes()).digest())
        except OSError:
            return None
    return result.hexdigest()


def entry_path(name):
    return CACHE / (name.replace("/", "!") + ".json")


def remembered(name, command, version):
    """True when the last run was clean and nothing has changed since."""
    try:
        entry = json.loads(entry_path(name).read_text(encoding="utf-8"))
        return entry["digest"] == digest(entry["files"], command, version)
    except (OSError, ValueError, KeyError):
        return False


def check(name, command, version):
    """(seconds, output); the output is empty when the file is clean."""
    started = time.monotonic()
    files = dependencies(command)
    before = digest(files, command, version) if files else None
    run = subprocess.run([TIDY, "-p", str(BUILD), "--quiet", str(ROOT / name)], cwd=ROOT, capture_output=True,
                         text=True)
    output = run.stdout.strip()
    if run.returncode != 0 and not output:
        output = run.stderr.strip() or f"{TIDY} ended with {run.returncode}"
    # Edited meanwhile: nothing is known about what is there now.
    if not output and before and before == digest(files, command, version):
        entry_path(name).write_text(json.dumps({"digest": before, "files": files}), encoding="utf-8")
    return time.monotonic() - started, output


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--no-cache", action="store_true")
    parser.add_argument("part", nargs="*")
    arguments = parser.parse_args()
    configure()
    CACHE.mkdir(parents=True, exist_ok=True)
    version = re.sub(r"\s+", " ", subprocess.run([TIDY, "--version"], capture_output=True, text=True).stdout)
    every = sources(arguments.part)
    todo = [(n, c) for n, c in every if arguments.no_cache or not remembered(n, c, version)]
    print(f"{len(every)} sources, {len(every) - len(todo)} unchanged since they were clean", flush=True)
    failed = []
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        running = {pool.submit(check, name, command, version): name for name, command in todo}
        for number, future in enumerate(concurrent.futures.as_completed(running), 1):
            seconds, output = future.result()
            name = running[future]
            print(f"[{number}/{len(todo)}] {name} {seconds:.0f} s{' FAILED' if output else ''}", flush=True)
            if output:
                failed.append(name)
                print(output, flush=True)
    if not every:
        print("the compile database names no source of ours")
        return 1
    print(f"{len(failed)} of {len(every)} sources have findings" + "".join(f"\n  {name}" for name in sorted(failed)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
