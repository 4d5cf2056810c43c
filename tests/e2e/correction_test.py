#!/usr/bin/python3
"""Labels that come later and are corrected give the numbers of a run that had the right ones from the start: every
gauge of /metrics and every number of the JSON, with the real `detwatch label`, on real data sets."""

import json
import pathlib
import random
import signal
import tempfile
import time
import unittest

import compare
import harness
import reference
import detwatch

CONFIG = """
storage: {checkpoint: 100ms}
views:
  - {name: default, group_by: [model, version]}
  - {name: streams, group_by: [stream], classes: false}
"""
# Times of a run.
TIMES = ("detwatch_last_frame_timestamp_seconds", "detwatch_last_label_timestamp_seconds",
         "detwatch_snapshot_timestamp_seconds", "detwatch_window_capture_timestamp_seconds", "detwatch_config_",
         "detwatch_checkpoint", "detwatch_storage", "detwatch_cell_bytes", "detwatch_cells", "detwatch_publishers", "detwatch_corrections",
         "detwatch_join", "detwatch_series")
RETRACTED = ("true_positives", "false_positives", "false_negatives", "frame_outcomes", "ground_truths",
             "bin_detections", "bin_true_positives", "ground_truths_unjudged", "detections_unjudged")


def spoiled(truth, seed):
    """The annotations as somebody in a hurry makes them: boxes left out, moved, of another class, and invented."""
    dice = random.Random(seed)
    annotations = []
    categories = [category["id"] for category in truth["categories"]]
    for annotation in truth["annotations"]:
        what = dice.random()
        if what < 0.15:
            continue
        changed = dict(annotation)
        if what < 0.4:
            changed["bbox"] = [side * dice.uniform(0.7, 1.3) for side in annotation["bbox"]]
            changed["area"] = changed["bbox"][2] * changed["bbox"][3]
            changed.pop("segmentation", None)
        elif what < 0.55:
            changed["category_id"] = dice.choice(categories)
        annotations.append(changed)
    top = max(annotation["id"] for annotation in truth["annotations"])
    for number in range(len(annotations) // 10):
        image = dice.choice(truth["images"])["id"]
        annotations.append({"id": top + 1 + number, "image_id": image, "category_id": dice.choice(categories),
                            "bbox": [5.0, 5.0, 40.0, 40.0], "area": 1600.0, "iscrowd": 0})
    return {**truth, "annotations": annotations}


class CorrectionTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="detwatch-correction-")
        self.addCleanup(self.folder.cleanup)

    def file(self, name, content):
        path = pathlib.Path(self.folder.name) / name
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    def daemon(self, name, config=CONFIG):
        return harness.Daemon.on_fixed_ports(config=config, storage=pathlib.Path(self.folder.name) / name)

    def predict(self, daemon, data):
        with detwatch.Publisher(daemon.reliable, name="detector", model="reference", version="1", stream="archive",
                                class_names=data.names, box_format="xywh", on_full="block") as publisher:
            for image in data.images:
                found = data.detections[image["id"]]
                publisher.predictions(image["id"], [d["bbox"] for d in found], [d["score"] for d in found],
                                      [d["category_id"] for d in found])
            self.assertTrue(publisher.flush(60))

    def label(self, daemon, source, *arguments, code=0):
        done = harness.run("label", "--from", source, "--to", daemon.reliable, "--stream", "archive", "--json", *arguments)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def expect(self, report, **counts):
        for key in ("joined", "corrected", "unknown", "duplicate", "late", "refused", "untold"):
            self.assertEqual(report[key], counts.get(key, 0), (key, report))

    def numbers(self, daemon, frames, corrected):
        """(counters, gauges, the JSON's numbers) when so many frames were corrected and that is shown."""
        def look():
            metrics = daemon.metrics()
            return (metrics if metrics.sum("detwatch_window_frames", view="default", window="total") >= frames
                    and metrics.get("detwatch_frames_corrected_total") >= corrected
                    and metrics.get("detwatch_models") > 0 else None)
        harness.wait_for(look, f"{frames} judged and {corrected} corrected frames")
        metrics = daemon.metrics()
        document = daemon.summary()
        for view in document["views"]:
            for group in view["groups"]:
                for window in group["windows"]:
                    del window["oldest_capture"], window["newest_capture"]
        return metrics, compare.gauges(metrics, "detwatch_", without=TIMES), compare.leaves(document["views"])

    def check_corrected(self, right, corrected, tolerance=1e-12):
        """Both are what numbers() gave."""
        compare.check_same(self, corrected[1], right[1], tolerance, "gauges, corrected and right")
        compare.check_same(self, corrected[2], right[2], tolerance, "JSON, corrected and right")
        for name in RETRACTED:
            net, plain = {}, {}
            for into, metrics in ((net, corrected[0]), (plain, right[0])):
                retracted = metrics.samples.get(f"detwatch_{name}_retracted_total", {})
                for labels, value in metrics.samples.get(f"detwatch_{name}_total", {}).items():
                    into[name, labels] = value - retracted.get(labels, 0)
            self.assertTrue(plain, name)
            compare.check_same(self, net, plain, what="counters without what was taken back")
        for name in ("true_positives", "false_positives", "false_negatives", "ground_truths", "frame_outcomes"):
            self.assertGreater(corrected[0].sum(f"detwatch_{name}_retracted_total"), 0, name)
            self.assertEqual(right[0].sum(f"detwatch_{name}_retracted_total"), 0, name)
        for family in ("detwatch_frames_total", "detwatch_frames_judged_total", "detwatch_model_frames_judged_total",
                       "detwatch_label_delay_seconds_count"):
            self.assertEqual(corrected[0].sum(family), right[0].sum(family), family)

    def check_set(self, name, between=None):
        folder = harness.shared(name)
        data = reference.DataSet(folder)
        truth = json.loads(data.ground_truth.read_text(encoding="utf-8"))
        count = len(data.images)
        wrong = self.file("wrong.json", spoiled(truth, 1))
        with self.daemon("right") as daemon:
            self.predict(daemon, data)
            self.expect(self.label(daemon, data.ground_truth, "--strict"), joined=count)
            right = self.numbers(daemon, count, 0)
            reference.check_twelve(self, right[0], data.expected["stats"], model="reference", version="1")
        daemon = self.daemon("corrected")
        self.predict(daemon, data)
        self.expect(self.label(daemon, wrong, "--strict"), joined=count)
        first = self.numbers(daemon, count, 0)
        self.assertTrue(compare.differences(first[1], right[1], 1e-6), "the wrong labels are wrong")
        if between is not None:
            daemon = between(daemon)
        with daemon:
            self.expect(self.label(daemon, data.ground_truth, "--strict", "--revision", 1), joined=count, corrected=count)
            corrected = self.numbers(daemon, count, count)
            self.check_corrected(right, corrected)
            reference.check_twelve(self, corrected[0], data.expected["stats"], model="reference", version="1")
            self.assertEqual(corrected[0].get("detwatch_frames_corrected_total"), count)
            # No counter fell.
            for key, value in compare.pipeline_counters(first[0], ()).items():
                self.assertGreaterEqual(corrected[0].samples[key[0]][key[1]], value, key)
            daemon.stop(signal.SIGKILL)
            with daemon.again() as again:
                self.check_corrected(right, self.numbers(again, count, count))

    def test_coco_fake100(self):
        self.check_set("coco_fake100")

    def test_blood_cells(self):
        self.check_set("blood_cells")

    def test_cartucho(self):
        self.check_set("cartucho")

    def test_a_correction_after_a_kill_of_the_daemon_is_as_exact(self):
        def kill(daemon):
            daemon.stop(signal.SIGKILL)
            return daemon.again()
        self.check_set("coco_fake100", kill)

    def test_several_corrections_of_one_frame_end_at_the_last(self):
        data = reference.DataSet(harness.shared("coco_fake100"))
        truth = json.loads(data.ground_truth.read_text(encoding="utf-8"))
        count = len(data.images)
        with self.daemon("right") as daemon:
            self.predict(daemon, data)
            self.label(daemon, data.ground_truth)
            right = self.numbers(daemon, count, 0)
        with self.daemon("corrected") as daemon:
            self.predict(daemon, data)
            for revision in range(3):
                self.label(daemon, self.file("wrong.json", spoiled(truth, revision)), "--revision", revision)
            report = self.label(daemon, data.ground_truth, "--revision", 7)
            self.expect(report, joined=count, corrected=count)
            self.check_corrected(right, self.numbers(daemon, count, 3 * count))

    def test_the_tool_tells_what_became_of_labels(self):
        data = reference.DataSet(harness.shared("coco_fake100"))
        truth = json.loads(data.ground_truth.read_text(encoding="utf-8"))
        count = len(data.images)
        wrong = self.file("wrong.json", spoiled(truth, 1))
        with self.daemon("store") as daemon:
            # Nobody has predicted anything yet: they wait, which is a fault only for who says so.
            self.expect(self.label(daemon, wrong, "--revision", 1), unknown=count)
            self.expect(self.label(daemon, wrong, "--revision", 1), duplicate=count)
            self.predict(daemon, data)
            self.numbers(daemon, count, 0)
            self.expect(self.label(daemon, wrong, "--revision", 1, "--strict"), duplicate=count)
            # Other content under the same revision, and a lower revision.
            report = self.label(daemon, data.ground_truth, "--revision", 1, code=1)
            self.assertEqual(report["refused"] + report["duplicate"], count, report)
            self.assertEqual(report["reasons"]["conflict"]["count"], report["refused"], report)
            report = self.label(daemon, data.ground_truth, "--revision", 0, code=1)
            self.assertEqual(report["refused"], count, report)
            self.assertEqual(report["reasons"]["stale_revision"]["count"], count, report)
            self.expect(self.label(daemon, data.ground_truth, "--revision", 2, "--final"), joined=count, corrected=count)
            # Who said that nobody will correct them is taken at his word.
            self.expect(self.label(daemon, wrong, "--revision", 3), late=count)
        self.assertEqual(harness.run("label", "--from", wrong, "--to", "tcp://127.0.0.1:1", "--patience", "1s").returncode, 1)

    def test_unknown_frames_fail_who_is_strict(self):
        data = reference.DataSet(harness.shared("coco_fake100"))
        with self.daemon("store") as daemon:
            self.expect(self.label(daemon, data.ground_truth, "--strict", code=1), unknown=len(data.images))

    def test_corrections_that_come_too_late_are_told_and_change_nothing(self):
        data = reference.DataSet(harness.shared("coco_fake100"))
        truth = json.loads(data.ground_truth.read_text(encoding="utf-8"))
        count = len(data.images)
        wrong = self.file("wrong.json", spoiled(truth, 1))
        with self.daemon("store", CONFIG + "join: {corrections: 1s}\n") as daemon:
            self.predict(daemon, data)
            self.expect(self.label(daemon, data.ground_truth), joined=count)
            before = self.numbers(daemon, count, 0)
            time.sleep(3)
            self.expect(self.label(daemon, wrong, "--revision", 1), late=count)
            self.expect(self.label(daemon, wrong, "--revision", 2, "--strict", code=1), late=count)
            after = self.numbers(daemon, count, 0)
            compare.check_same(self, before[1], after[1], what="gauges")
            self.assertEqual(after[0].get("detwatch_frames_rejected_total", reason="too_late", transport="reliable"), 2 * count)
            self.assertEqual(after[0].get("detwatch_frames_corrected_total"), 0)


if __name__ == "__main__":
    harness.main()
