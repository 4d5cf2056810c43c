#!/usr/bin/env python3
"""An inference loop that goes on after a crash where the daemon's acknowledgements had come to.

    python3 resume.py tcp://127.0.0.1:5557 last_frame.txt

The file holds the number of the last frame up to which every one is on the daemon's disk. A crash costs the frames
after it: they are detected and sent again, and the daemon counts those it had already once, as long as they come
within its dedup horizon (an hour, or 4 million frames) under the same stream, frame id, model and version. A
detector that finds other boxes the second time has the repetition rejected as `conflict`; the first one stays.
"""
import collections
import os
import pathlib
import sys

import detwatch

FRAMES = 200


def detect(frame):
    """Stands for a detector: boxes as left, top, right, bottom in pixels, scores, class ids."""
    return [[40 + frame, 60, 140 + frame, 260]], [0.91], [0]


class Progress:
    """The file, and the frames that are not acknowledged yet. No thread and no callback: the loop asks."""

    def __init__(self, path):
        self._path = pathlib.Path(path)
        self.last = int(self._path.read_text()) if self._path.exists() else -1
        self._waiting = collections.deque()  # (sequence of its message, frame), oldest first

    def published(self, sequence, frame):
        self._waiting.append((sequence, frame))

    def acknowledged(self, sequence):
        before = self.last
        while self._waiting and self._waiting[0][0] <= sequence:
            self.last = self._waiting.popleft()[1]
        if self.last != before:
            fresh = self._path.with_suffix(".new")
            fresh.write_text(f"{self.last}\n")
            os.replace(fresh, self._path)  # the old number or the new one, never half of it


def main():
    endpoint, path = sys.argv[1:]
    progress = Progress(path)
    first = progress.last + 1
    # A name that stays makes the new run supersede the old one. `block`, because what is dropped is never
    # acknowledged and would be skipped; a loop that must not wait leaves it out, and lives with that.
    with detwatch.Publisher(endpoint, name="resume-example", model="example", stream="gate-3",
                            class_names=["person"], on_full="block") as publisher:
        for frame in range(first, FRAMES):
            boxes, scores, class_ids = detect(frame)
            progress.published(publisher.predictions(f"frame-{frame}", boxes, scores, class_ids), frame)
            progress.acknowledged(publisher.stats.acknowledged_sequence)
        while not publisher.flush(timeout=0.1) and not publisher.stats.superseded:
            progress.acknowledged(publisher.stats.acknowledged_sequence)
        progress.acknowledged(publisher.stats.acknowledged_sequence)
    print(f"frames {first} to {progress.last} are on the daemon's disk")


if __name__ == "__main__":
    main()
