#!/usr/bin/python3
"""The Python package, used as a detector would from a process of its own, gives the same numbers."""

import json
import subprocess
import sys
import unittest

import harness
import reference

# Runs in another process: publishes one data set and prints what became of it.
PUBLISH = """
import json, sys
import reference, pathlib, detwatch
data = reference.DataSet(pathlib.Path(sys.argv[1]))
with detwatch.Publisher(sys.argv[2], model="reference", version="1", class_names=data.names, reliable=sys.argv[3] == "reliable",
                        box_format="xywh", on_full="block") as publisher:
    for image in data.images:
        found = data.detections[image["id"]]
        publisher.predictions(image["id"], [d["bbox"] for d in found], [d["score"] for d in found],
                              [d["category_id"] for d in found])
        there = data.labels[image["id"]]
        publisher.labels(image["id"], [a["bbox"] for a in there], [a["category_id"] for a in there],
                         areas=[a["area"] for a in there], crowd=[a.get("iscrowd", 0) for a in there], source="auto")
    delivered = publisher.flush(60)
    stats = publisher.stats
print(json.dumps({"delivered": delivered, "acknowledged": stats.acknowledged, "rejected": stats.rejected,
                  "dropped": stats.dropped}))
"""


class PublisherTest(unittest.TestCase):
    def publish(self, folder, endpoint, kind):
        path = [str(harness.PYTHON), str(harness.ROOT / "tests/e2e")]
        done = subprocess.run([sys.executable, "-c", PUBLISH, str(folder), endpoint, kind], capture_output=True,
                              text=True, timeout=120, env={"PYTHONPATH": ":".join(path), "PATH": "/usr/bin:/bin"})
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def check(self, name):
        folder = harness.shared(name)
        data = reference.DataSet(folder)
        with harness.Daemon() as daemon:
            report = self.publish(folder, daemon.reliable, "reliable")
            self.assertTrue(report["delivered"], report)
            self.assertEqual(report["rejected"], {})
            self.assertEqual(report["dropped"], 0)
            self.assertEqual(report["acknowledged"], 2 * len(data.images))
            metrics = daemon.wait_judged(len(data.images))
            reference.check_twelve(self, metrics, data.expected["stats"], model="reference", version="1")

    def test_coco_fake100(self):
        self.check("coco_fake100")

    def test_cartucho(self):
        self.check("cartucho")

    def test_blood_cells(self):
        self.check("blood_cells")

    def test_the_example_that_ships_with_the_package_is_counted(self):
        with harness.Daemon() as daemon:
            done = subprocess.run([sys.executable, str(harness.ROOT / "lib/python/examples/publish.py"), daemon.reliable],
                                  capture_output=True, text=True, timeout=60,
                                  env={"PYTHONPATH": str(harness.PYTHON), "PATH": "/usr/bin:/bin"})
            self.assertEqual(done.returncode, 0, done.stderr)
            metrics = daemon.wait_judged(5)
            # Each frame has one object, found, and one detection of a class that is not there.
            for family, count in (("true_positives", 5), ("false_positives", 5), ("false_negatives", 0)):
                self.assertEqual(metrics.sum(f"detwatch_{family}_total", iou="0.50", model="example"), count, family)


if __name__ == "__main__":
    harness.main()
