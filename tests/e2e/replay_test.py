#!/usr/bin/python3
"""`detwatch replay` streams real data sets over TCP from another process; /metrics shows the reference
evaluator's numbers."""

import unittest

import harness
import reference


class ReplayTest(unittest.TestCase):
    def replay(self, name, *options, endpoint="reliable"):
        data = reference.DataSet(harness.shared(name))
        with harness.Daemon() as daemon:
            harness.checked("replay", "--ground-truth", data.ground_truth, "--predictions", data.predictions,
                            "--to", getattr(daemon, endpoint), *options)
            metrics = daemon.wait_judged(len(data.images))
            summary = daemon.summary()
            self.assertEqual(daemon.stop(), 0)
        return data, metrics, summary

    def check(self, data, metrics, summary):
        exact = reference.check_twelve(self, metrics, data.expected["stats"])
        by_name = {data.names[int(key)]: value["ap"] for key, value in data.expected["per_class"].items()}
        self.assertGreater(reference.check_classes(self, summary, by_name), 50)
        self.assertEqual(metrics.sum("detwatch_frames_total"), len(data.images))
        self.assertEqual(metrics.sum("detwatch_frames_judged_total"), len(data.images))
        self.assertEqual(metrics.sum("detwatch_frames_rejected_total"), 0)
        self.assertEqual(metrics.sum("detwatch_messages_lost_total"), 0)
        return exact

    def test_coco_with_crowds_and_segment_areas(self):
        self.assertTrue(self.check(*self.replay("coco_fake100")), "small enough to be exact")

    def test_cartucho_a_real_detector(self):
        self.assertTrue(self.check(*self.replay("cartucho")), "small enough to be exact")

    def test_blood_cells_is_larger_than_the_ring_and_keeps_the_promises_of_bins(self):
        self.assertFalse(self.check(*self.replay("blood_cells")), "more detections of a class than the ring holds")

    def test_fire_and_forget_gives_the_same_numbers_when_nothing_is_lost(self):
        # At a pace a subscriber keeps up with: this path may lose, and says so.
        self.check(*self.replay("cartucho", "--fire-and-forget", "--rate", "200", endpoint="subscribe"))

    def test_labels_that_come_later_give_the_same_numbers(self):
        data, metrics, summary = self.replay("cartucho", "--label-delay", "1s")
        self.check(data, metrics, summary)
        quick = metrics.sum("detwatch_label_delay_seconds_bucket", le="0.5")
        self.assertEqual(quick, 0, "no label came within half a second")
        self.assertEqual(metrics.sum("detwatch_label_delay_seconds_count"), len(data.images))

    def test_two_versions_stand_side_by_side_and_do_not_mix(self):
        data = reference.DataSet(harness.shared("cartucho"))
        with harness.Daemon() as daemon:
            for version in ("a", "b"):
                harness.checked("replay", "--ground-truth", data.ground_truth, "--predictions", data.predictions,
                                "--to", daemon.reliable, "--model", "yolo", "--model-version", version,
                                "--stream", version)
            metrics = daemon.wait_judged(2 * len(data.images))
        for version in ("a", "b"):
            reference.check_twelve(self, metrics, data.expected["stats"], model="yolo", version=version)


if __name__ == "__main__":
    harness.main()
