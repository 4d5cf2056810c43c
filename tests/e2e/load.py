#!/usr/bin/python3
"""A site under load, as a process of its own: two detectors and a labeller of one stream, three publishers.

    load.py ENDPOINT STREAM --seed 1 [--frames N] [--rate R]

The same seed and stream give the same frames, so that a run through kills can be compared with a quiet one. The
second detector is slower than the labels of some frames, and labels come late and out of order: most at once, some
after many frames. SIGTERM ends the stream; what is left of it is published and flushed. Prints what it did, as JSON.
"""

import argparse
import heapq
import json
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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("endpoint")
    parser.add_argument("stream")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--frames", type=int, default=10**9)
    parser.add_argument("--rate", type=float, default=0, help="frames per second; 0: as fast as it goes")
    parser.add_argument("--silence", type=float, default=15, help="seconds without an answer: connect again")
    parser.add_argument("--give-up", type=float, default=60, help="seconds for what is left at the end")
    options = parser.parse_args()
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))

    def publisher(role, **more):
        return detwatch.Publisher(options.endpoint, name=f"{options.stream} {role}", stream=options.stream,
                                  class_names=CLASSES, on_full="block", box_format="xywh",
                                  _timing=Timing(options.silence / 3, options.silence, 2), **more)

    publishers = fast, slow, labeller = (publisher("fast", model="fast", version="1"),
                                         publisher("slow", model="slow", version="2"), publisher("labels"))
    due = []  # (frame at which, number, frame, what)
    frames, started = 0, time.monotonic()

    def publish_due(until):
        while due and due[0][0] <= until:
            _, index, what, content = heapq.heappop(due)
            if what == "labels":
                labeller.labels(index, *content, source="auto")
            else:
                slow.predictions(index, *content)

    while frames < options.frames and not stopped:
        truth, first, second = frame(options.stream, options.seed, frames)
        labels_lag, slow_lag = lag(options.stream, options.seed, frames)
        heapq.heappush(due, (frames + labels_lag, frames, "labels", truth))
        heapq.heappush(due, (frames + slow_lag, frames, "slow", second))
        fast.predictions(frames, *first)
        publish_due(frames)
        frames += 1
        if options.rate:
            time.sleep(max(0.0, started + frames / options.rate - time.monotonic()))
    publish_due(10**10)
    end = time.monotonic() + options.give_up
    delivered = all([one.flush(max(0.0, end - time.monotonic())) for one in publishers])
    stats = [one.stats for one in publishers]
    print(json.dumps({"frames": frames, "delivered": delivered, "tally": stats[2].labels._asdict(),
                      "rejected": [one.rejected for one in stats],
                      **{key: sum(getattr(one, key) for one in stats)
                         for key in ("sent", "acknowledged", "resent", "dropped", "pending")}}))
    for one in publishers:
        one.close(0)
    return 0 if delivered else 1


if __name__ == "__main__":
    sys.exit(main())
