#!/usr/bin/python3
"""No count is lost or doubled: by kill -9 of the daemon and of publishers at any moment, or by a network that fails.

The end of each run is compared with a quiet run on the same frames, counter by counter. DETWATCH_KILLS: how often the
daemon is killed (200); DETWATCH_SEED: at which moments.
"""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import compare
import harness
import proxy

KILLS = int(os.environ.get("DETWATCH_KILLS", "200"))
SEED = int(os.environ.get("DETWATCH_SEED", "20260301"))
# A thread sanitizer makes a start take longer; the moments move with it.
SLOWNESS = float(os.environ.get("DETWATCH_SLOWNESS", "1"))
CONFIG = "storage:\n  checkpoint: 100ms\n"
HERE = pathlib.Path(__file__).resolve().parent


class Program(harness.Process):
    """A publisher whose standard output is JSON."""

    def report(self, seconds=120):
        code = self.process.wait(seconds)
        text = self.log()
        assert code == 0, f"{self.process.args} ended with {code}:\n{text}"
        return json.loads(text[text.index("{"):])


def load(endpoint, stream, *arguments):
    return Program([sys.executable, HERE / "load.py", endpoint, stream, *arguments],
                   env={**os.environ, "DETWATCH_PYTHON": str(harness.PYTHON)})


def simulate(endpoint, name, frames, rate, *arguments):
    """The C++ publisher, with predictions and labels in one message unless labels are delayed."""
    return Program([harness.BINARY, "simulate", "--to", endpoint, "--stream", name, "--model", name, "--seed", 7,
                    "--frames", frames, "--rate", rate, "--patience", "60s", "--json", *arguments])


class KillTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="detwatch-kill-")
        self.addCleanup(self.folder.cleanup)
        self.dice = random.Random(SEED)

    def store(self, name):
        return pathlib.Path(self.folder.name) / name

    def settled(self, daemon, frames, seconds=60):
        """The scrape in which all of these frames (of all models) are judged and nothing waits."""
        def look():
            metrics = daemon.metrics()
            judged = metrics.sum("detwatch_frames_judged_total")
            return metrics if judged >= frames and metrics.sum("detwatch_join_pending_frames") == 0 else None
        try:
            return harness.wait_for(look, f"{frames} judged frames and none that waits", seconds, 0.3)
        except AssertionError as error:
            found = compare.pipeline_counters(daemon.metrics(), ())
            shown = {name: value for (name, labels), value in found.items() if not labels or name.count("frames")}
            raise AssertionError(f"{error}; seed {SEED}; {shown}") from None

    def check_same(self, metrics, quiet, frames):
        self.assertEqual(metrics.sum("detwatch_frames_total"), frames)
        self.assertEqual(metrics.sum("detwatch_frames_judged_total"), frames)
        self.assertEqual(metrics.sum("detwatch_messages_lost_total"), 0)
        self.assertEqual(metrics.sum("detwatch_frames_rejected_total"), 0)
        self.assertEqual(metrics.sum("detwatch_frames_expired_total"), 0)
        self.assertGreater(metrics.sum("detwatch_true_positives_total"), 0)
        compare.check_same(self, compare.pipeline_counters(metrics), compare.pipeline_counters(quiet),
                           what=f"disturbed and quiet, seed {SEED}")
        # Numbers of the windows come from the same counts. Estimates may depend on the order of equal scores.
        compare.check_same(self, *(compare.gauges(run, "detwatch_window_frames", "detwatch_precision",
                                                  "detwatch_recall", "detwatch_mean_average_precision")
                                   for run in (metrics, quiet)), tolerance=1e-9, what="gauges")

    def quiet_run(self, *publishers, frames):
        """The same frames, undisturbed. `publishers`: functions of the endpoint."""
        with harness.Daemon(config=CONFIG, storage=self.store("quiet")) as daemon:
            for publish in publishers:
                with publish(daemon.reliable) as program:
                    program.report()
            return self.settled(daemon, frames)

    def test_kill_9_of_the_daemon_at_any_moment_changes_no_count(self):
        rate = 50
        simulated = max(20, int(KILLS * 0.4 * rate * SLOWNESS))
        daemon = harness.Daemon.on_fixed_ports(config=CONFIG, storage=self.store("killed"))
        started = time.monotonic()
        early = 0
        with load(daemon.reliable, "gate", "--rate", rate) as site, \
                simulate(daemon.reliable, "pairs", simulated, rate) as pairs, \
                simulate(daemon.reliable, "late", simulated, rate, "--label-delay", "700ms") as late:
            for _ in range(KILLS):
                if self.dice.random() < 0.2:  # while it starts
                    time.sleep(self.dice.uniform(0, 0.15) * SLOWNESS)
                    early += 1
                else:
                    daemon.wait_listening(60)
                    time.sleep(self.dice.uniform(0, 0.8) * SLOWNESS)
                self.assertIsNone(daemon.process.poll(), daemon.log())
                daemon.stop(signal.SIGKILL)
                daemon.log_file.close()
                daemon = daemon.again(wait=False)
            daemon.wait_listening(60)
            site.process.send_signal(signal.SIGTERM)
            report = site.report()
            reports = [pairs.report(), late.report()]
        frames = report["frames"]
        print(f"{KILLS} kills ({early} during a start) in {time.monotonic() - started:.0f} s, {frames} frames of the "
              f"site, {simulated} simulated twice, {report['resent']} messages sent again", file=sys.stderr)
        total = 2 * frames + 2 * simulated
        with daemon:
            metrics = self.settled(daemon, total)
        self.assertGreater(report["resent"], KILLS / 2, "the kills were felt")
        self.assertEqual((report["dropped"], report["pending"], report["acknowledged"]), (0, 0, 3 * frames))
        for one in reports:
            self.assertGreater(one["resent"], 0, one)
        quiet = self.quiet_run(lambda to: load(to, "gate", "--frames", frames),
                               lambda to: simulate(to, "pairs", simulated, 0),
                               lambda to: simulate(to, "late", simulated, 0, "--label-delay", "700ms"), frames=total)
        self.check_same(metrics, quiet, total)

    def test_a_publisher_that_is_killed_goes_on_after_its_last_acknowledged_frame(self):
        frames = 4000
        daemon = harness.Daemon.on_fixed_ports(config=CONFIG, storage=self.store("publisher"))
        state = self.store("progress")
        with daemon:
            kills = began_again = 0
            while True:
                publisher = load(daemon.reliable, "walk", "--frames", frames, "--resume", state,
                                 "--rate", 4000 if kills >= 30 else 700)
                try:
                    publisher.process.wait(self.dice.uniform(0.25, 0.6) * SLOWNESS if kills < 30 else 60)
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
        quiet = self.quiet_run(lambda to: load(to, "walk", "--frames", frames, "--resume", self.store("none")),
                               frames=frames)
        self.check_same(metrics, quiet, frames)

    def test_the_example_in_c_plus_plus_survives_kills_of_both_sides(self):
        example = harness.BUILD / "tests/resume_example"
        if not example.exists():
            self.skipTest(f"{example} is not built")
        frames, state, kills = 400000, self.store("resume.txt"), 0
        daemon = harness.Daemon.on_fixed_ports(config=CONFIG, storage=self.store("example"))
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

    def test_a_network_that_fails_in_every_way_changes_no_count(self):
        daemon = harness.Daemon.on_fixed_ports(config=CONFIG, storage=self.store("network"))
        port = int(daemon.reliable.rsplit(":", 1)[1])
        with proxy.Proxy("127.0.0.1", port, SEED) as network, \
                load(network.endpoint, "gate", "--rate", 150, "--silence", 1.2) as site:
            end = time.monotonic() + 35
            enough = harness.wait_for(
                lambda: time.monotonic() > end or all(network.seen[kind] > 2 for kind in proxy.KINDS), "faults", 60)
            self.assertTrue(enough)
            daemon.stop(signal.SIGKILL)  # and the daemon too
            daemon = daemon.again()
            time.sleep(2)
            site.process.send_signal(signal.SIGTERM)
            time.sleep(2)
            network.heal()
            report = site.report()
            print(dict(network.seen), report, file=sys.stderr)
            for kind in proxy.KINDS:
                self.assertGreater(network.seen[kind], 0, kind)
        frames = 2 * report["frames"]
        with daemon:
            metrics = self.settled(daemon, frames)
        self.assertGreater(report["resent"], 0)
        self.assertGreater(metrics.sum("detwatch_messages_duplicate_total") + report["resent"], 0)
        quiet = self.quiet_run(lambda to: load(to, "gate", "--frames", report["frames"]), frames=frames)
        self.check_same(metrics, quiet, frames)


if __name__ == "__main__":
    harness.main()
