#!/usr/bin/python3
"""A flood of everything a broken or hostile publisher can send: each message is refused with its reason and
counted, memory stays bounded, and the good frames in between are all judged."""

import random
import unittest

import harness
import raw
from raw import pb

NAN, INFINITY = float("nan"), float("inf")
LONG = "x" * 100_000


def predictions(**fields):
    """A good message of predictions with some fields set to something else."""
    payload = raw.predictions("broken")
    for name, value in fields.items():
        target = getattr(payload.predictions, name)
        if hasattr(target, "extend"):
            del target[:]
            target.extend(value)
        elif hasattr(target, "CopyFrom"):
            target.CopyFrom(value)
        else:
            setattr(payload.predictions, name, value)
    return payload


def labels(**fields):
    payload = raw.labels("broken")
    for name, value in fields.items():
        getattr(payload.labels, name).extend(value)
    return payload


def wrong_hash():
    return pb.Payload(class_list=pb.ClassList(hash=1, entries=[pb.ClassEntry(id=1, name="car")]))


# What is sent -> the reason it is refused for.
BROKEN = [
    (predictions(scores=[NAN]), "score_out_of_range"),
    (predictions(scores=[INFINITY]), "score_out_of_range"),
    (predictions(scores=[-INFINITY]), "score_out_of_range"),
    (predictions(scores=[1.0001]), "score_out_of_range"),
    (predictions(scores=[-0.0001]), "score_out_of_range"),
    (predictions(boxes=raw.boxes((NAN, 1, 2, 3))), "box_not_finite"),
    (predictions(boxes=raw.boxes((1, INFINITY, 2, 3))), "box_not_finite"),
    (predictions(boxes=raw.boxes((1, 2, 3e30, 3))), "box_not_finite"),
    (predictions(boxes=raw.boxes((10, 10, -1, 3))), "box_negative_size"),
    (predictions(scores=[0.5, 0.5]), "column_length"),
    (predictions(class_ids=[]), "column_length"),
    (predictions(boxes=raw.boxes((1, 2, 3))), "column_length"),
    (predictions(boxes=pb.Boxes(float_values=[1, 2, 3, 4])), "box_format_missing"),
    (predictions(boxes=pb.Boxes(format=pb.BOX_FORMAT_XYWH, unit=pb.BOX_UNIT_NORMALIZED,
                                float_values=[0, 0, .5, .5])), "image_size_missing"),
    (predictions(class_ids=[77]), "class_unknown"),
    (predictions(frame=pb.FrameRef(frame_id="")), "frame_missing"),
    (predictions(frame=pb.FrameRef(frame_id=LONG)), "string_too_long"),
    (predictions(model=LONG), "string_too_long"),
    (predictions(model=""), "model_missing"),
    (predictions(frame=pb.FrameRef(frame_id="a\x00b")), "string_invalid"),
    (predictions(inference_seconds=NAN), "value_invalid"),
    (predictions(boxes=raw.boxes([1.0] * 4 * 10001), scores=[0.5] * 10001, class_ids=[1] * 10001), "too_many_boxes"),
    (labels(float_areas=[NAN]), "area_invalid"),
    (labels(float_areas=[-1.0]), "area_invalid"),
    (labels(crowd=[True, False]), "column_length"),
    (wrong_hash(), "class_list_invalid"),
    (pb.Payload(), "payload_empty"),
    (pb.Payload(batch=pb.Batch(items=[pb.Payload(batch=pb.Batch())])), "nested_batch"),
    (raw.predictions("truncated").SerializeToString()[:-3], "payload_unreadable"),
    (b"\xff" * 200, "payload_unreadable"),
]


class BadInputTest(unittest.TestCase):
    def good(self, sender, number):
        """One good frame; each holds one object that is found."""
        sender.send(raw.predictions(f"good-{number}"))
        sender.send(raw.labels(f"good-{number}"))

    def check_good(self, daemon, frames):
        metrics = daemon.wait_judged(frames)
        labels_of_good = {"model": "good", "version": "1"}
        self.assertEqual(metrics.get("detwatch_window_frames", window="total", **labels_of_good), frames)
        self.assertEqual(metrics.get("detwatch_true_positives_total", iou="0.50", **labels_of_good,
                                     **{"class": "car"}), frames)
        self.assertEqual(metrics.get("detwatch_false_positives_total", iou="0.50", **labels_of_good,
                                     **{"class": "car"}), 0)
        return metrics

    def test_every_kind_of_broken_message_has_its_reason_and_the_good_frames_count(self):
        with harness.Daemon() as daemon:
            sender = raw.Sender(daemon.reliable, "mixed")
            raw.announce(sender)
            rounds = 5
            for number in range(rounds * len(BROKEN)):
                self.good(sender, number)
                sender.send(BROKEN[number % len(BROKEN)][0])
                sender.receive()
            sender.wait_acknowledged()
            metrics = self.check_good(daemon, rounds * len(BROKEN))
            expected = {}
            for _, reason in BROKEN:
                expected[reason] = expected.get(reason, 0) + rounds
            counted = {dict(series)["reason"]: value
                       for series, value in metrics.all("detwatch_frames_rejected_total", transport="reliable").items()
                       if value}
            self.assertEqual(counted, expected)
            # The publisher is told the same, within what one reply holds.
            self.assertLessEqual(set(sender.rejected), set(expected))
            self.assertTrue(sender.rejected)
            self.assertEqual(metrics.sum("detwatch_messages_lost_total"), 0, "a readable header advances the sequence")
            sender.close()
            self.assertEqual(daemon.stop(), 0)

    def test_an_oversized_message_is_counted_and_an_absurd_one_only_costs_its_connection(self):
        with harness.Daemon() as daemon:
            sender, huge = raw.Sender(daemon.reliable, "steady"), raw.Sender(daemon.reliable, "huge")
            raw.announce(sender)
            self.good(sender, 1)
            before = daemon.resident_bytes()
            huge.send(b"\x00" * (17 << 20))
            harness.wait_for(lambda: daemon.metrics().sum("detwatch_frames_rejected_total", reason="oversized") == 1,
                             "the oversized message is counted")
            for _ in range(5):
                huge.send(b"\x00" * (100 << 20))
            self.good(sender, 2)
            sender.wait_acknowledged()
            self.check_good(daemon, 2)
            self.assertLess(daemon.resident_bytes() - before, 200 << 20)
            huge.close()
            sender.close()

    def test_random_bytes_in_either_part_and_any_number_of_parts(self):
        generator = random.Random(20)
        with harness.Daemon() as daemon:
            sender, noise = raw.Sender(daemon.reliable, "steady"), raw.Sender(daemon.reliable, "noise")
            raw.announce(sender)
            sent = 2000
            for number in range(sent):
                data = generator.randbytes(generator.randrange(300))
                readable = number % 4 == 2
                parts = [noise.header(), data] if readable else [data] * (number % 4 or 2)
                noise.send_parts(*parts)
                if number % 10 == 0:
                    self.good(sender, number)
            sender.wait_acknowledged()
            metrics = self.check_good(daemon, sent // 10)
            self.assertEqual(metrics.sum("detwatch_frames_rejected_total", transport="reliable"), sent)
            self.assertEqual(metrics.sum("detwatch_messages_lost_total"), 0)
            noise.close()
            sender.close()
            self.assertEqual(daemon.stop(), 0)

    def test_a_hundred_thousand_models_cost_bounded_memory_and_series(self):
        names = 100_000
        with harness.Daemon() as daemon:
            sender, flood = raw.Sender(daemon.reliable, "steady"), raw.Sender(daemon.reliable, "flood")
            raw.announce(sender)
            self.good(sender, 0)
            sender.wait_acknowledged()
            before = daemon.resident_bytes()
            for number in range(names):
                flood.send(raw.predictions("same", model=f"model-{number}"))
                if number % 1000 == 0:
                    self.good(sender, number + 1)
                    flood.receive()
                    sender.receive()
            flood.wait_acknowledged(120)
            sender.wait_acknowledged()
            metrics = self.check_good(daemon, 1 + names // 1000)
            models = metrics.sum("detwatch_models")
            self.assertLessEqual(models, 1000)
            self.assertEqual(metrics.sum("detwatch_frames_rejected_total", reason="too_many_models"), names - (models - 1))
            self.assertLessEqual(metrics.text.count("\n"), 250_000)
            self.assertLess(daemon.resident_bytes() - before, 512 << 20)
            flood.close()
            sender.close()
            self.assertEqual(daemon.stop(), 0)

    def test_a_flood_on_subscribe_is_counted_there(self):
        with harness.Daemon() as daemon:
            socket = raw.zmq.Context.instance().socket(raw.zmq.PUB)
            socket.setsockopt(raw.zmq.LINGER, 0)
            socket.connect(daemon.subscribe)
            sender = raw.Sender(daemon.reliable, "steady")
            raw.announce(sender)

            def rejected():
                socket.send_multipart([b"\xff\xff", b"\xff"])
                return daemon.metrics().sum("detwatch_frames_rejected_total", transport="subscribe",
                                            reason="header_unreadable") > 3
            harness.wait_for(rejected, "unreadable headers are counted", pause=0.3)
            self.good(sender, 1)
            sender.wait_acknowledged()
            self.check_good(daemon, 1)
            socket.close()
            sender.close()


if __name__ == "__main__":
    harness.main()
