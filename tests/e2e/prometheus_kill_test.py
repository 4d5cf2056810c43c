#!/usr/bin/python3
"""Prometheus sees no reset of a counter, although the daemon is killed and labels are corrected under its eyes."""

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
import disturbed
import harness

KILLS = int(os.environ.get("DETWATCH_KILLS", "20"))
SEED = int(os.environ.get("DETWATCH_SEED", "20260303"))
# Of the process and not of the pipeline.
PROCESS = ("detwatch_http_", "detwatch_series_dropped_total", "detwatch_checkpoint", "detwatch_handover_seconds", "process_")


class PrometheusKillTest(unittest.TestCase):
    def test_no_counter_is_reset_by_kills_and_corrections(self):
        folder = tempfile.TemporaryDirectory(prefix="detwatch-kill-")
        self.addCleanup(folder.cleanup)
        dice = random.Random(SEED)
        daemon = harness.Daemon.on_fixed_ports(config=disturbed.CONFIG, storage=pathlib.Path(folder.name) / "store")
        with harness.PrometheusServer(daemon, interval="500ms") as prometheus, \
                disturbed.load(daemon.reliable, "gate", "--rate", 40, "--corrections") as site:
            started = time.monotonic()
            for number in range(KILLS):
                # Between two scrapes, or during one, or while it starts.
                time.sleep(dice.uniform(0.05, 4) if number % 5 else dice.uniform(0, 0.1))
                self.assertIsNone(daemon.process.poll(), daemon.log())
                daemon.stop(signal.SIGKILL)
                daemon.log_file.close()
                daemon = daemon.again(wait=bool(number % 3))
            daemon.wait_listening()
            site.process.send_signal(signal.SIGTERM)
            report = site.report()
            with daemon:
                metrics = harness.wait_for(
                    lambda: (m := daemon.metrics()).sum("detwatch_frames_judged_total") >= 2 * report["frames"] and m,
                    "all judged")
                time.sleep(2)  # two more scrapes
                print(f"{KILLS} kills in {time.monotonic() - started:.0f} s, {report}", file=sys.stderr)
                self.assertGreater(metrics.get("detwatch_frames_corrected_total"), 0)
                self.check_no_reset(prometheus, metrics)
                done = subprocess.run([str(harness.PROMETHEUS / "promtool"), "check", "metrics"], input=metrics.text,
                                      capture_output=True, text=True, timeout=60, check=False)
                self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def check_no_reset(self, prometheus, metrics):
        def resets(name):
            return [(row, value) for row, value in prometheus.query(f"resets({name}[10m]) > 0")]
        names = [name for name in metrics.samples if compare.is_counter(metrics, name)
                 and name.startswith("detwatch_") and not name.startswith(PROCESS)]
        self.assertGreater(len(names), 30)
        # The kills were seen: a counter of the process did begin again.
        self.assertTrue(resets("detwatch_http_requests_total"))
        found = {name: resets(name) for name in names}
        bad = {name: rows for name, rows in found.items() if rows}
        self.assertFalse(bad, f"seed {SEED}: {len(bad)} of {len(names)} families: "
                         + "\n".join(f"{name}: {len(rows)}, {rows[:2]}" for name, rows in list(bad.items())[:12]))
        # And all of it was scraped, before the first kill as well as after the last one.
        frames = prometheus.query("max(max_over_time(detwatch_frames_judged_total[10m]))")[0][1]
        self.assertEqual(frames, metrics.get("detwatch_frames_judged_total"))


if __name__ == "__main__":
    harness.main()
