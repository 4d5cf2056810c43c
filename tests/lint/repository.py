"""What the lint scripts share: the files of the repository, as git knows them."""

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def files(*patterns):
    """Tracked files and new ones that are not ignored, relative to ROOT; only those that match a git pathspec."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    names = sorted(set(filter(None, output.split("\0"))))
    return [pathlib.Path(name) for name in names if (ROOT / name).is_file()]


def text(path):
    """The content of a text file, or None for a binary one."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None
