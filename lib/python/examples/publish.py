#!/usr/bin/env python3
"""Publishes predictions and labels of a few frames to a detwatch daemon.

    python3 publish.py tcp://127.0.0.1:5557
"""
import sys
import time

import detwatch


def detect(frame):
    """Stands for a detector: boxes as left, top, right, bottom in pixels, scores, class ids."""
    return [[40 + frame, 60, 140 + frame, 260], [300, 80, 420, 170]], [0.91, 0.78], [0, 2]


def main():
    endpoint = sys.argv[1] if len(sys.argv) > 1 else "tcp://127.0.0.1:5557"
    with detwatch.Publisher(endpoint, model="example", version="1", stream="gate-3",
                            class_names={0: "person", 2: "car"}) as publisher:
        for frame in range(5):
            frame_id = f"frame-{frame}"
            started = time.perf_counter()
            boxes, scores, class_ids = detect(frame)
            publisher.predictions(frame_id, boxes, scores, class_ids, capture_time=time.time(),
                                  inference_seconds=time.perf_counter() - started)
            # What was really there may come now, or days later from another program.
            publisher.labels(frame_id, [[42 + frame, 58, 141 + frame, 262]], [0], source="human", final=True)
        delivered = publisher.flush(timeout=10)
        stats = publisher.stats
    print(f"sent {stats.sent}, acknowledged {stats.acknowledged}, rejected {stats.rejected or 'none'}")
    return 0 if delivered else 1


if __name__ == "__main__":
    sys.exit(main())
