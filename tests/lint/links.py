#!/usr/bin/python3
"""Checks that relative links in the repository's Markdown lead to a file, and their anchors to a heading."""

import re
import sys

import repository

LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def anchors(content):
    """The anchors that GitHub and others make of the headings."""
    result = set()
    for heading in re.findall(r"^#+\s+(.*?)\s*#*$", FENCE.sub("", content), re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        result.add(re.sub(r"[^\w\- ]", "", words.replace("`", "")).replace(" ", "-"))
    return result


def problems_of(path, content, read):
    """Dead links of one file, as sentences. `read(path)` gives a file's text, or None where there is none."""
    for target in LINK.findall(FENCE.sub("", content)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        other = path if not name else (repository.ROOT / path).parent.joinpath(name).resolve()
        if name:
            if not other.exists():
                yield f"{path}: {target}: there is no such file"
                continue
            if not other.is_relative_to(repository.ROOT):
                yield f"{path}: {target}: leads out of the repository"
                continue
            other = other.relative_to(repository.ROOT)
        if anchor and anchor not in anchors(read(other) or ""):
            yield f"{path}: {target}: there is no such heading"


def main():
    found, pages = [], repository.files("*.md")
    for path in pages:
        found += problems_of(path, repository.text(path), repository.text)
    if not pages:
        found = ["there is no Markdown file"]
    print("\n".join(found) if found else f"{len(pages)} pages, every relative link leads somewhere")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
