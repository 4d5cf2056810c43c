#!/usr/bin/python3
"""A wall clock that is set while the daemon runs, and between two runs: nothing stops, and ages stay right.

libfaketime gives the daemon the wall clock of this test and leaves the monotonic one alone, as a clock that is set does.
"""

import glob
import os
import pathlib
import re
import tempfile
import time
import unittest

import harness
import raw

HOUR = 3600
SOON = 3  # seconds, of steady time: three checkpoint intervals
TIMESTAMPS = ("detwatch_snapshot_timestamp_seconds", "detwatch_last_frame_timestamp_seconds",
              "detwatch_last_label_timestamp_seconds", "detwatch_checkpoint_timestamp_seconds")


def library():
    """Without it the test is skipped, or fails where it must not be skipped."""
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if found:
        return found[0]
    message = "faketime (the Debian package) is not installed"
    if os.environ.get("DETWATCH_REQUIRE_FAKETIME") == "1":
        raise AssertionError(message)
    raise unittest.SkipTest(message)


class Wall:
    """The wall clock of a daemon: so many seconds ahead of ours."""

    def __init__(self, folder, ahead=0):
        self.file = pathlib.Path(folder) / "wall"
        self.set(ahead)
        self.environment = {"LD_PRELOAD": library(), "FAKETIME_TIMESTAMP_FILE": str(self.file), "FAKETIME_NO_CACHE": "1",
                            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}

    def set(self, ahead):
        self.ahead = ahead
        written = self.file.with_suffix(".new")
        written.write_text(f"{ahead:+d}\n", encoding="ascii")
        written.rename(self.file)

    def now(self):
        return time.time() + self.ahead


class ClockTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="detwatch-clock-")
        self.addCleanup(folder.cleanup)
        self.wall = Wall(folder.name)
        self.path = pathlib.Path(folder.name) / "store"
        self.frames = 0

    def daemon(self):
        return harness.Daemon.on_fixed_ports(storage=self.path, environment=self.wall.environment)

    def sender(self, daemon, name):
        sender = raw.Sender(daemon.reliable, name)
        self.addCleanup(sender.close)
        raw.announce(sender)
        sender.wait_acknowledged(SOON)
        return sender

    def check_goes_on(self, daemon, sender, seconds=3):
        """For so long: acknowledged soon, shown soon, of the right age, and still in the window."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            raw.send_frames(sender, self.frames, self.frames + 10)
            self.frames += 10
            sender.wait_acknowledged(SOON)
            daemon.wait_judged(self.frames, SOON)
            harness.wait_for(lambda: self.ages_are_right(daemon), f"right ages with the wall {self.wall.ahead:+d} s", SOON)
            self.assertEqual(daemon.metrics().sum("detwatch_window_frames", view="default", window="5m"), self.frames)
            time.sleep(0.2)

    def ages_are_right(self, daemon):
        """Everything was new a moment ago."""
        metrics, taken, now = daemon.metrics(), daemon.summary()["taken"], self.wall.now()
        ages = {name: now - metrics.sum(name) for name in TIMESTAMPS} | {"taken": now - taken}
        return all(-0.5 <= age <= SOON for age in ages.values())

    def check(self, daemon, set_back, held, note):
        metrics = daemon.metrics()
        self.assertEqual(metrics.get("detwatch_clock_set_back_total"), set_back)
        self.assertEqual(metrics.get("detwatch_clock_held_total"), held)
        self.assertEqual(metrics.get("detwatch_ready"), 1)
        status, _, body = daemon.get("/-/ready")
        self.assertEqual(status, 200)
        if note is None:
            self.assertEqual(body, b"ready\n")
        else:
            found = re.search(rb"; note: the wall clock is (\d+) s (behind|ahead of) ", body)
            self.assertIsNotNone(found, body)
            self.assertEqual(found[2].decode(), note[1])
            self.assertAlmostEqual(int(found[1]), note[0], delta=30)
        self.assertEqual(daemon.log().count("the wall clock was set back"), set_back)
        self.assertEqual(daemon.log().count("the wall clock ran ahead"), held)

    def test_nothing_stops_when_the_clock_is_set_back_and_forth(self):
        """Set back by N, no checkpoint, acknowledgement or snapshot came for N, and the daemon said it was ready."""
        with self.daemon() as daemon:
            sender = self.sender(daemon, "detector")
            self.check_goes_on(daemon, sender, 2)
            self.check(daemon, 0, 0, None)
            # Ahead by, set back so far, held so far, what /-/ready notes.
            steps = [(-20, 0, 0, None),
                     (-HOUR, 1, 0, (HOUR, "behind")),
                     (-2 * HOUR, 2, 0, (2 * HOUR, "behind")),
                     (0, 2, 0, None),
                     (2 * HOUR, 2, 1, (2 * HOUR, "ahead of")),
                     (0, 2, 1, None)]
            for ahead, set_back, held, note in steps:
                with self.subTest(ahead=ahead):
                    self.wall.set(ahead)
                    self.check_goes_on(daemon, sender)
                    self.check(daemon, set_back, held, note)
            self.assertEqual(daemon.stop(), 0, daemon.log())

    def test_a_restart_with_the_clock_an_hour_back_goes_on_from_the_stored_time(self):
        daemon = self.daemon()
        self.check_goes_on(daemon, self.sender(daemon, "first"), 1)
        self.assertEqual(daemon.stop(), 0, daemon.log())
        self.wall.set(-HOUR)
        for run in (1, 2):  # the second goes on from a time that was ahead of its wall
            with self.subTest(run=run):
                daemon = daemon.again()
                # Before anything comes: as it was, and not an hour in the future.
                age = self.wall.now() - daemon.summary()["taken"]
                self.assertTrue(-0.5 <= age <= SOON, age)
                self.assertEqual(daemon.metrics().sum("detwatch_window_frames", view="default", window="5m"), self.frames)
                self.check_goes_on(daemon, self.sender(daemon, f"run {run}"))
                metrics = daemon.metrics()
                self.assertEqual(metrics.get("detwatch_clock_set_back_total"), run)
                self.assertIn(b"s behind the time", daemon.get("/-/ready")[2])
                self.assertEqual(daemon.stop(), 0, daemon.log())
        self.wall.set(0)
        with daemon.again() as daemon:
            self.check_goes_on(daemon, self.sender(daemon, "right again"), 2)
            self.assertEqual(daemon.metrics().get("detwatch_clock_set_back_total"), 2)
            self.assertEqual(daemon.get("/-/ready")[2], b"ready\n")
            self.assertEqual(daemon.stop(), 0, daemon.log())


if __name__ == "__main__":
    harness.main()
