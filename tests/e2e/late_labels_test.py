#!/usr/bin/python3
"""Labels at any time, from before their predictions until after everybody has given up, through kills of the daemon:
every frame ends joined or expired, once."""

import collections
import heapq
import os
import pathlib
import random
import signal
import tempfile
import time
import unittest

import harness
import detwatch

SEED = int(os.environ.get("DETWATCH_SEED", "20260302"))
RETENTION = 3.0
CONFIG = "storage: {checkpoint: 100ms}\njoin: {retention: 3s, linger: 1s}\n"
BOX = [[10, 10, 60, 60]]


class Stream:
    """What is published when: predictions of each frame over some seconds, labels up to `longest` earlier or later."""

    def __init__(self, seed, frames, seconds, longest):
        dice = random.Random(seed)
        self.due = []
        self.predicted, self.delays = 0, {}
        for number in range(frames):
            at = dice.uniform(0, seconds)
            kind = dice.choices(("both", "predictions", "labels"), (8, 1, 1))[0]
            if kind != "labels":
                heapq.heappush(self.due, (at, "predictions", f"frame-{number}"))
                self.predicted += 1
            if kind != "predictions":
                delay = dice.choice((dice.uniform(-0.5, 0.5), dice.uniform(0, longest), dice.uniform(-longest, longest)))
                heapq.heappush(self.due, (max(0.0, at + delay), "labels", f"frame-{number}"))
                if kind == "both":
                    self.delays[f"frame-{number}"] = max(0.0, at + delay) - at
        self.labelled = sum(what == "labels" for _, what, _ in self.due)


class LateLabelsTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="detwatch-late-")
        self.addCleanup(self.folder.cleanup)

    def run_stream(self, stream, restarts, how):
        """Publishes all of it; the metrics when nothing waits any more, and what the publishers were told."""
        daemon = harness.Daemon.on_fixed_ports(config=CONFIG, storage=pathlib.Path(self.folder.name) / "store")
        options = {"class_names": ["car"], "on_full": "block", "box_format": "xywh"}
        with detwatch.Publisher(daemon.reliable, name="detector", model="m", version="1", **options) as detector, \
                detwatch.Publisher(daemon.reliable, name="people", **options) as people:
            started = time.monotonic()
            moments = collections.deque(restarts)
            while stream.due:
                at, what, frame = heapq.heappop(stream.due)
                while moments and moments[0] <= at:
                    moments.popleft()
                    time.sleep(0.02)
                    daemon.stop(how)
                    daemon = daemon.again()
                time.sleep(max(0.0, started + at - time.monotonic()))
                if what == "labels":
                    people.labels(frame, BOX, [0], source="auto")
                else:
                    detector.predictions(frame, BOX, [0.9], [0])
            self.assertTrue(detector.flush(30) and people.flush(30))
            told = people.stats
            with daemon:
                def look():
                    metrics = daemon.metrics()
                    return metrics if metrics.sum("detwatch_join_pending_frames") == 0 else None
                metrics = harness.wait_for(look, "nothing waits", RETENTION + 15, 0.3)
                self.assertEqual(daemon.stop(), 0)
        return metrics, told

    def check_sums(self, metrics, stream, told):
        judged = metrics.sum("detwatch_frames_judged_total")
        expired = {missing: metrics.get("detwatch_frames_expired_total", missing=missing)
                   for missing in ("labels", "predictions")}
        refused = metrics.sum("detwatch_frames_rejected_total")
        facts = {"judged": judged, "expired": expired, "refused": refused, "labels": stream.labelled,
                 "predictions": stream.predicted, "told": told.labels, "rejected": told.rejected}
        self.assertEqual(metrics.sum("detwatch_frames_total"), stream.predicted, facts)
        self.assertEqual(judged + expired["labels"], stream.predicted, facts)
        self.assertEqual(metrics.sum("detwatch_labels_total") + refused, stream.labelled, facts)
        self.assertEqual(metrics.get("detwatch_frames_rejected_total", reason="too_late", transport="reliable"), refused,
                         facts)
        self.assertEqual(judged + expired["predictions"], metrics.sum("detwatch_labels_total"), facts)
        self.assertEqual(metrics.sum("detwatch_messages_lost_total"), 0, facts)
        self.assertEqual(metrics.sum("detwatch_true_positives_total", iou="0.50", confidence="0.5"), judged, facts)
        self.assertEqual(metrics.sum("detwatch_model_frames_judged_total"), judged, facts)
        self.assertEqual(metrics.sum("detwatch_model_frames_expired_total"), expired["labels"], facts)
        self.assertEqual(metrics.get("detwatch_label_delay_seconds_count"), judged, facts)
        return judged, facts

    def check_moments(self, judged, facts, stream, slack):
        """Who was in time was judged, and who was too late was not."""
        in_time = sum(abs(delay) < RETENTION - slack for delay in stream.delays.values())
        hopeless = sum(abs(delay) > RETENTION + slack for delay in stream.delays.values())
        self.assertGreater(in_time, 100)
        self.assertGreater(hopeless, 20)
        self.assertGreaterEqual(judged, in_time, facts)
        self.assertLessEqual(judged, len(stream.delays) - hopeless, facts)

    def test_every_frame_ends_once_while_the_daemon_stays(self):
        stream = Stream(SEED, 1200, 6, 6)
        metrics, told = self.run_stream(stream, [], signal.SIGKILL)
        judged, facts = self.check_sums(metrics, stream, told)
        self.check_moments(judged, facts, stream, 0.7)
        tally = told.labels
        self.assertEqual(tally.joined + tally.waiting + tally.late + tally.duplicate + tally.refused, stream.labelled, facts)
        self.assertEqual((tally.corrected, tally.duplicate), (0, 0))

    def test_every_frame_ends_once_through_kills_in_between(self):
        stream = Stream(SEED + 1, 1500, 8, 6)
        dice = random.Random(SEED)
        metrics, told = self.run_stream(stream, sorted(dice.uniform(0.5, 11) for _ in range(8)), signal.SIGKILL)
        judged, facts = self.check_sums(metrics, stream, told)
        self.check_moments(judged, facts, stream, 1.5)

    def test_every_frame_ends_once_through_stops_in_between(self):
        stream = Stream(SEED + 2, 800, 4, 5)
        metrics, told = self.run_stream(stream, [1, 2.5, 4, 5.5], signal.SIGTERM)
        judged, facts = self.check_sums(metrics, stream, told)
        self.check_moments(judged, facts, stream, 1.5)

    def test_what_expires_while_the_daemon_is_away_is_counted_when_it_is_back(self):
        import raw
        daemon = harness.Daemon.on_fixed_ports(config=CONFIG, storage=pathlib.Path(self.folder.name) / "store")
        sender = raw.Sender(daemon.reliable, "before the holidays")
        raw.announce(sender)
        for number in range(30):
            sender.send(raw.predictions(f"predicted-{number}"))
        for number in range(20):
            sender.send(raw.labels(f"labelled-{number}"))
        sender.wait_acknowledged()
        sender.close()
        self.assertEqual(daemon.stop(), 0)
        time.sleep(RETENTION + 0.5)
        with daemon.again() as daemon:
            metrics = harness.wait_for(
                lambda: (m := daemon.metrics()).sum("detwatch_frames_expired_total") >= 50 and m, "all expired", 15)
            self.assertEqual(metrics.sum("detwatch_join_pending_frames"), 0)
            self.assertEqual(metrics.get("detwatch_frames_expired_total", missing="labels"), 30)
            self.assertEqual(metrics.get("detwatch_frames_expired_total", missing="predictions"), 20)
            self.assertEqual(metrics.sum("detwatch_frames_judged_total"), 0)


if __name__ == "__main__":
    harness.main()
