#!/usr/bin/python3
"""Five synthetic data sets of COCO's size and shape, streamed live: mAP is within 0.001 of the reference
evaluator, and every class, area and IoU threshold lies inside its published bounds."""

import json
import pathlib
import subprocess
import tempfile
import unittest

import harness
import reference


class SyntheticTest(unittest.TestCase):
    def test_binned_mode_keeps_its_promises_on_all_five_outputs(self):
        generator = harness.shared("gen.py", "DETWATCH_SYNTHETIC", "synthetic")
        outputs = json.loads(harness.shared("expected.json", "DETWATCH_SYNTHETIC", "synthetic").read_text())
        self.assertEqual(len(outputs), 5)
        for number, expected in enumerate(outputs):
            with self.subTest(arguments=" ".join(expected["gen_args"])):
                self.check(generator, expected, number)

    def check(self, generator, expected, number):
        with tempfile.TemporaryDirectory() as folder, harness.Daemon() as daemon:
            subprocess.run(["/usr/bin/python3", str(generator), "--out", folder, *expected["gen_args"]], check=True,
                           capture_output=True, timeout=300)
            truth, found = pathlib.Path(folder) / "gt.json", pathlib.Path(folder) / "dt.json"
            harness.checked("replay", "--ground-truth", truth, "--predictions", found, "--to", daemon.reliable,
                            "--model", f"output-{number}", timeout=300)
            metrics = daemon.wait_judged(expected["images"])
            summary = daemon.summary()
            names = {str(c["id"]): c["name"] for c in json.loads(truth.read_text())["categories"]}
        self.assertFalse(reference.check_twelve(self, metrics, expected["stats"]), "more detections than the ring holds")
        by_name = {names[key]: {"all": values} for key, values in expected["per_class_ap"].items()}
        self.assertGreater(reference.check_classes(self, summary, by_name), 500)
        self.assertEqual(metrics.sum("detwatch_frames_judged_total"), expected["images"])
        self.assertEqual(metrics.sum("detwatch_frames_rejected_total"), 0)


if __name__ == "__main__":
    harness.main()
