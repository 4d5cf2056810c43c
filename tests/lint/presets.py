#!/usr/bin/python3
"""Warnings are errors by every preset, and not where somebody configures without one.

Whoever packages detwatch has another compiler, whose new warnings must not stop the build; whoever works on it has a
preset, by which no warning may stay. Both are configured here, each in a folder of its own, and the compile commands
of our sources are read.
"""

import json
import pathlib
import shlex
import subprocess
import sys
import tempfile

from repository import ROOT


def visible_presets(text):
    """The configure presets one can name, of the text of CMakePresets.json."""
    return [preset["name"] for preset in json.loads(text)["configurePresets"] if not preset.get("hidden")]


def problems_of(name, database, errors):
    """Sentences about compile commands (of one configuration, entries as CMake writes them) that do not have -Werror
    as they should: `errors`."""
    ours = [entry for entry in database if pathlib.Path(entry["file"]).is_relative_to(ROOT)
            and not pathlib.Path(entry["file"]).is_relative_to(ROOT / "build")]
    if not ours:
        yield f"{name}: no source of ours is compiled"
    wrong = [entry["file"] for entry in ours if ("-Werror" in shlex.split(entry["command"])) != errors]
    if wrong:
        says = "without" if errors else "with"
        yield f"{name}: {len(wrong)} of {len(ours)} sources are compiled {says} -Werror, such as {wrong[0]}"


def configured(arguments):
    """The compile commands that `cmake ARGUMENTS` leads to, and what it said where it failed."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["cmake", *arguments, "-B", folder, "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0:
            return [], f"{shlex.join(command)} failed:\n{done.stderr}"
        return json.loads((pathlib.Path(folder) / "compile_commands.json").read_text(encoding="utf-8")), ""


def main():
    presets = visible_presets((ROOT / "CMakePresets.json").read_text(encoding="utf-8"))
    found = [] if presets else ["CMakePresets.json has no preset"]
    wanted = [("no preset", ["-S", "."], False)] + [(name, ["--preset", name], True) for name in presets]
    for name, arguments, errors in wanted:
        database, failure = configured(arguments)
        found += [failure] if failure else problems_of(name, database, errors)
    print("\n".join(found) if found else f"-Werror in {', '.join(presets)}, and nowhere else")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
