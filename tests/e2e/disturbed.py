"""Runs through kills and failing networks, compared counter by counter with a quiet run on the same frames.

DETWATCH_SEED: at which moments.
"""

import json
import os
import pathlib
import random
import sys
import tempfile
import unittest

import compare
import harness

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


class DisturbedTest(unittest.TestCase):
    """A run through trouble, with its store in a folder of its own, and the quiet run to compare it with."""

    longMessage = False

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
        # Numbers of the windows come from the same counts, but AP depends on the order of equal scores. The runs
        # are longer than the shortest window, and have times of their own.
        mine, theirs = ({key: value for key, value in compare.gauges(
            run, "detwatch_", without=("detwatch_cell_bytes", "detwatch_storage", "detwatch_checkpoint",
                                       "detwatch_config", "detwatch_series", "detwatch_join")).items()
            if "timestamp" not in key[0] and ("window", "5m") not in key[1]} for run in (metrics, quiet))
        compare.check_same(self, mine, theirs, tolerance=1e-5, what=f"gauges, seed {SEED}")

    def quiet_run(self, *publishers, frames):
        """The same frames, undisturbed. `publishers`: functions of the endpoint."""
        with harness.Daemon(config=CONFIG, storage=self.store("quiet")) as daemon:
            for publish in publishers:
                with publish(daemon.reliable) as program:
                    program.report()
            return self.settled(daemon, frames)
