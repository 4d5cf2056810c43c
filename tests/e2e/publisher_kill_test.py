#!/usr/bin/python3
"""A publisher that is killed at any moment and goes on after its last acknowledged frame leaves none out and has none
counted twice."""

import signal
import subprocess
import sys

import disturbed
import harness


class PublisherKillTest(disturbed.DisturbedTest):
    def test_a_publisher_that_is_killed_goes_on_after_its_last_acknowledged_frame(self):
        frames = 8000
        daemon = harness.Daemon.on_fixed_ports(config=disturbed.CONFIG, storage=self.store("publisher"))
        state = self.store("progress")
        with daemon:
            kills = began_again = 0
            while True:
                publisher = disturbed.load(daemon.reliable, "walk", "--frames", frames, "--resume", state,
                                 "--rate", 0 if kills >= 30 else 250)
                try:
                    publisher.process.wait(self.dice.uniform(0.4, 1.9) * disturbed.SLOWNESS if kills < 30 else 60)
                except subprocess.TimeoutExpired:
                    publisher.stop(signal.SIGKILL)
                    kills += 1
                    began_again += state.exists()
                    continue
                break
            with publisher:
                report = publisher.report()
            self.assertGreaterEqual(kills, 10, "too few kills before the end")
            self.assertGreater(began_again, 0)
            metrics = self.settled(daemon, frames)
        print(f"{kills} kills, {report}; again: {metrics.sum('detwatch_frames_duplicate_total')}", file=sys.stderr)
        self.assertGreater(metrics.sum("detwatch_frames_duplicate_total"), 0, "nothing was under way at a kill")
        quiet = self.quiet_run(lambda to: disturbed.load(to, "walk", "--frames", frames, "--resume", self.store("none")),
                               frames=frames)
        self.check_same(metrics, quiet, frames)

    def test_the_example_in_c_plus_plus_survives_kills_of_both_sides(self):
        example = harness.BUILD / "tests/resume_example"
        if not example.exists():
            self.skipTest(f"{example} is not built")
        frames, state, kills = 400000, self.store("resume.txt"), 0
        daemon = harness.Daemon.on_fixed_ports(config=disturbed.CONFIG, storage=self.store("example"))
        for kills in range(31):
            with harness.Process([example, daemon.reliable, state, frames]) as publisher:
                try:
                    self.assertEqual(publisher.process.wait(self.dice.uniform(0.02, 0.4) if kills < 30 else 60), 0)
                    break
                except subprocess.TimeoutExpired:
                    publisher.stop(signal.SIGKILL)
            if kills % 4 == 3:
                daemon.stop(signal.SIGKILL)
                daemon = daemon.again()
        with daemon:
            self.assertEqual(int(state.read_text(encoding="ascii")), frames)
            metrics = harness.wait_for(
                lambda: (m := daemon.metrics()).sum("detwatch_frames_total") >= frames and m, "all frames", 30)
            self.assertEqual(metrics.sum("detwatch_frames_total"), frames)
            self.assertEqual(metrics.get("detwatch_join_pending_frames", missing="labels"), frames)
            self.assertEqual(metrics.sum("detwatch_messages_lost_total"), 0)
            self.assertEqual(metrics.sum("detwatch_frames_rejected_total"), 0)
        print(f"{kills} kills of the publisher, {metrics.sum('detwatch_frames_duplicate_total')} frames again",
              file=sys.stderr)


if __name__ == "__main__":
    harness.main()
