#!/usr/bin/python3
"""A site under load, as a process of its own: two detectors and a labeller of one stream, three publishers.

    load.py ENDPOINT STREAM --seed 1 [--frames N] [--rate R] [--resume FILE]

The same seed and stream give the same frames, so that a run through kills can be compared with a quiet one. The
second detector is slower than the labels of some frames, and labels come late and out of order: most at once, some
after many frames. SIGTERM ends the stream; what is left of it is published and flushed. Prints what it did, as JSON.

With --resume there is one publisher of one detector and its labels, which goes on after the last acknowledged frame
of FILE, so that it can be killed at any moment.
"""

import argparse
import collections
import heapq
import json
import os
import pathlib
import random
import signal
import sys
import time

import harness  # noqa: F401  puts the built package on the path
import detwatch
from detwatch._link import Timing

CLASSES = {1: "car", 2: "dog", 7: "person"}


def frame(stream, seed, index):
    """(truth, detections of the first, of the second detector) of a frame: (boxes, scores, class ids) each."""
    dice = random.Random(f"{stream}/{seed}/{index}")
    truth = [([dice.uniform(0, 500), dice.uniform(0, 400), dice.uniform(8, 150), dice.uniform(8, 150)],
              dice.choice(list(CLASSES))) for _ in range(dice.randrange(5))]

    def detected(recall, clutter):
        boxes, scores, ids = [], [], []
        for box, which in truth:
            if dice.random() < recall:
                boxes.append([side * dice.uniform(0.9, 1.1) for side in box])
                scores.append(round(dice.uniform(0.3, 1), 6))
                ids.append(which)
        for _ in range(clutter if dice.random() < 0.3 else 0):
            boxes.append([dice.uniform(0, 500), dice.uniform(0, 400), 30, 30])
            scores.append(round(dice.uniform(0, 0.7), 6))
            ids.append(dice.choice(list(CLASSES)))
        return boxes, scores, ids

    return ([box for box, _ in truth], [which for _, which in truth]), detected(0.9, 1), detected(0.6, 3)


def lag(stream, seed, index):
    """(of the labels, of the second detector) behind the first detector, in frames."""
    dice = random.Random(f"lag/{stream}/{seed}/{index}")
    labels = dice.choice((0, 0, 0, dice.randrange(5), dice.randrange(60), dice.randrange(600)))
    return labels, dice.choice((0, 0, 1, dice.randrange(30)))


class Site:
    """Two detectors and a labeller."""

    def __init__(self, publisher, options):
        self.fast = publisher("fast", model="fast", version="1")
        self.slow = publisher("slow", model="slow", version="2")
        self.labeller = publisher("labels")
        self.publishers = self.fast, self.slow, self.labeller
        self.options = options
        self.first = 0
        self._due = []  # (frame at which, number, what, content)

    def step(self, index):
        truth, first, second = frame(self.options.stream, self.options.seed, index)
        labels_lag, slow_lag = lag(self.options.stream, self.options.seed, index)
        heapq.heappush(self._due, (index + labels_lag, index, "labels", truth))
        heapq.heappush(self._due, (index + slow_lag, index, "slow", second))
        self.fast.predictions(index, *first)
        self._publish_until(index)

    def finish(self, end):
        self._publish_until(10**10)
        return all([one.flush(max(0.0, end - time.monotonic())) for one in self.publishers])

    def _publish_until(self, index):
        while self._due and self._due[0][0] <= index:
            at, number, what, content = heapq.heappop(self._due)
            if what == "labels":
                self.labeller.labels(number, *content, source="auto", final=not self.options.corrections)
                if self.options.corrections and number % 2:
                    heapq.heappush(self._due, (at + 20, number, "revision", [half[::2] for half in content]))
            elif what == "revision":
                self.labeller.labels(number, *content, source="auto", final=False, revision=1)
            else:
                self.slow.predictions(number, *content)


class Walk:
    """A detector with its labels that keeps its place in a file, as examples/resume.py of the package."""

    def __init__(self, publisher, options):
        self.publisher = publisher("walk", model="walk", version="1")
        self.publishers = (self.publisher,)
        self.options = options
        self.file = pathlib.Path(options.resume)
        self.last = int(self.file.read_text(encoding="ascii")) if self.file.exists() else -1
        self.first = self.last + 1
        self._waiting = collections.deque()

    def step(self, index):
        truth, detections, _ = frame(self.options.stream, self.options.seed, index)
        self.publisher.predictions(index, *detections)
        self._waiting.append((self.publisher.labels(index, *truth, source="auto"), index))
        self._acknowledged()

    def finish(self, end):
        while not self.publisher.flush(0.1) and time.monotonic() < end:
            self._acknowledged()
        self._acknowledged()
        return not self._waiting

    def _acknowledged(self):
        before, sequence = self.last, self.publisher.stats.acknowledged_sequence
        while self._waiting and self._waiting[0][0] <= sequence:
            self.last = self._waiting.popleft()[1]
        if self.last != before:
            fresh = self.file.with_suffix(".new")
            fresh.write_text(f"{self.last}\n", encoding="ascii")
            os.replace(fresh, self.file)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("endpoint")
    parser.add_argument("stream")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--frames", type=int, default=10**9)
    parser.add_argument("--rate", type=float, default=0, help="frames per second; 0: as fast as it goes")
    parser.add_argument("--silence", type=float, default=15, help="seconds without an answer: connect again")
    parser.add_argument("--give-up", type=float, default=60, help="seconds for what is left at the end")
    parser.add_argument("--corrections", action="store_true", help="labels of every other frame are corrected")
    parser.add_argument("--resume", help="file with the last acknowledged frame")
    options = parser.parse_args()
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))

    def publisher(role, **more):
        return detwatch.Publisher(options.endpoint, name=f"{options.stream} {role}", stream=options.stream,
                                  class_names=CLASSES, on_full="block", box_format="xywh",
                                  _timing=Timing(options.silence / 3, options.silence, 2), **more)

    work = (Walk if options.resume else Site)(publisher, options)
    frames, started = work.first, time.monotonic()
    while frames < options.frames and not stopped:
        work.step(frames)
        frames += 1
        if options.rate:
            time.sleep(max(0.0, started + (frames - work.first) / options.rate - time.monotonic()))
    delivered = work.finish(time.monotonic() + options.give_up)
    stats = [one.stats for one in work.publishers]
    print(json.dumps({"first": work.first, "frames": frames, "delivered": delivered,
                      "tally": stats[-1].labels._asdict(), "rejected": [one.rejected for one in stats],
                      **{key: sum(getattr(one, key) for one in stats)
                         for key in ("sent", "acknowledged", "resent", "dropped", "pending")}}))
    for one in work.publishers:
        one.close(0)
    return 0 if delivered else 1


if __name__ == "__main__":
    sys.exit(main())
