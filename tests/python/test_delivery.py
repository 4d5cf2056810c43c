"""Acknowledged delivery: what reaches the daemon, through loss, restarts, limits and a full window."""
import multiprocessing
import os
import threading
import unittest

import detwatch
from detwatch._link import Timing
from fake_daemon import Books, FakeDaemon, FakeSubscriber, until

# The waits of the protocol, short enough for tests.
QUICK = Timing(hello=0.05, silence=0.3, announce=30.0)


def publisher(endpoint, **options):
    options.setdefault("model", "m")
    options.setdefault("class_names", ["person", "car"])
    options.setdefault("_timing", QUICK)
    return detwatch.Publisher(endpoint, **options)


def publish(target, names, width=10.0):
    for name in names:
        target.predictions(name, [[0, 0, width, 10]], [0.5], [0])


def names(count, start=0):
    return [f"f{i}" for i in range(start, start + count)]


class ReliableTest(unittest.TestCase):
    def test_every_frame_arrives_once_and_in_order(self):
        # The protocol's own waits: a busy machine must not look like a silent daemon.
        with FakeDaemon() as daemon, publisher(daemon.endpoint, _timing=Timing()) as target:
            publish(target, names(200))
            self.assertTrue(target.flush(10))
            self.assertEqual(daemon.frame_ids(), names(200))
            stats = target.stats
            self.assertEqual((stats.sent, stats.acknowledged, stats.dropped, stats.resent, stats.pending),
                             (200, 200, 0, 0, 0))
            self.assertTrue(stats.connected)

    def test_the_first_item_to_arrive_is_the_class_list_then_the_model(self):
        with FakeDaemon() as daemon, publisher(daemon.endpoint, stream_tags={"site": "a"}) as target:
            publish(target, names(1))
            self.assertTrue(target.flush(10))
            self.assertEqual([kind for kind, _ in daemon.frames][:3], ["class_list", "model_info", "stream_info"])
            self.assertIn("predictions", [kind for kind, _ in daemon.frames])

    def test_announcements_are_repeated(self):
        timing = QUICK._replace(announce=0.05)
        with FakeDaemon() as daemon, publisher(daemon.endpoint, _timing=timing):
            self.assertTrue(until(lambda: len(daemon.items("model_info")) >= 3))

    def test_a_message_is_kept_until_it_is_durable(self):
        with FakeDaemon(durable=False) as daemon, publisher(daemon.endpoint) as target:
            publish(target, names(3))
            self.assertTrue(until(lambda: daemon.frame_ids() == names(3)))
            self.assertFalse(target.flush(0.05))
            self.assertEqual(target.stats.acknowledged, 0)
            daemon.durable = True  # the next hello is answered with it
            self.assertTrue(target.flush(10))
            self.assertEqual(target.stats.acknowledged, 3)
            self.assertEqual(daemon.frame_ids(), names(3))

    def test_messages_lost_on_the_way_are_sent_again_in_order(self):
        with FakeDaemon() as daemon, publisher(daemon.endpoint) as target:
            publish(target, names(1))
            self.assertTrue(target.flush(10))
            daemon.lose = 3
            publish(target, names(50, start=1))
            self.assertTrue(target.flush(10))
            self.assertEqual(daemon.frame_ids(), names(51))
            self.assertGreaterEqual(target.stats.resent, 3)

    def test_a_lost_last_message_is_found_by_the_idle_hello(self):
        with FakeDaemon() as daemon, publisher(daemon.endpoint) as target:
            publish(target, names(1))
            self.assertTrue(target.flush(10))
            daemon.lose = 1
            publish(target, ["last"])
            self.assertTrue(target.flush(10))
            self.assertEqual(daemon.frame_ids()[-1], "last")

    def test_a_new_boot_gets_everything_beyond_durable_and_the_class_list_before_it(self):
        books = Books()
        with FakeDaemon(books=books) as first:
            target = publisher(first.endpoint)
            publish(target, names(2))
            self.assertTrue(target.flush(10))
            first.durable = False
            publish(target, names(3, start=2))
            self.assertTrue(until(lambda: len(first.frame_ids()) == 5))
        with target, FakeDaemon(first.endpoint, books) as second:
            self.assertTrue(target.flush(10))
            self.assertEqual(second.frame_ids(), names(3, start=2))
            self.assertEqual(second.frames[0][0], "class_list")
            self.assertEqual(second.lost, 0)

    def test_a_new_store_gets_the_class_list_first(self):
        with FakeDaemon(durable=False) as first:
            target = publisher(first.endpoint)
            publish(target, names(3))
            self.assertTrue(until(lambda: len(first.frame_ids()) == 3))
        with target, FakeDaemon(first.endpoint) as second:
            self.assertTrue(target.flush(10))
            self.assertEqual(second.frame_ids(), names(3))
            self.assertEqual(second.frames[0][0], "class_list")
            self.assertEqual(second.headers[0].store_id, first.books.store_id)

    def test_a_silent_daemon_is_connected_again(self):
        with FakeDaemon(mute=True) as daemon, publisher(daemon.endpoint) as target:
            publish(target, names(2))
            with self.assertLogs("detwatch", "WARNING") as log:
                self.assertTrue(until(lambda: any("silent" in line for line in log.output)))
            daemon.mute = False
            self.assertTrue(target.flush(10))
            self.assertEqual(daemon.frame_ids(), names(2))

    def test_an_idle_publisher_says_hello(self):
        with FakeDaemon() as daemon, publisher(daemon.endpoint):
            self.assertTrue(until(lambda: daemon.hellos() >= 4))

    def test_a_message_sent_after_an_idle_hello_is_not_sent_again(self):
        # Regression: the answer to the hello, which could not know of the message, was taken for its loss.
        with FakeDaemon() as daemon, \
                publisher(daemon.endpoint, _timing=QUICK._replace(silence=15.0)) as target:
            publish(target, ["first"])
            self.assertTrue(target.flush(10))
            daemon.hellos_wait_for_data = True
            hellos = daemon.hellos()
            self.assertTrue(until(lambda: daemon.hellos() >= hellos + 2))
            publish(target, ["second"])
            self.assertTrue(until(lambda: len(daemon.frame_ids()) == 2))
            daemon.hellos_wait_for_data = False
            self.assertTrue(target.flush(10))
            self.assertEqual(target.stats.resent, 0)

    def test_credit_bounds_what_is_under_way(self):
        with FakeDaemon(durable=False, credit=1000) as daemon, publisher(daemon.endpoint) as target:
            publish(target, names(100))
            self.assertTrue(until(lambda: len(daemon.frame_ids()) >= 5))
            daemon.durable = True
            self.assertTrue(target.flush(10))
            self.assertEqual(daemon.frame_ids(), names(100))
            # The announcements that ride on a message are not counted, once 200 bytes.
            self.assertLessEqual(daemon.in_flight_high, 1200)

    def test_no_credit_stops_sending_until_there_is_some(self):
        with FakeDaemon(credit=0) as daemon, publisher(daemon.endpoint) as target:
            publish(target, names(2))
            self.assertTrue(until(lambda: len(daemon.headers) >= 3))
            self.assertEqual(daemon.data_headers(), [])
            daemon.credit = 1 << 20
            self.assertTrue(target.flush(10))
            self.assertEqual(daemon.frame_ids(), names(2))

    def test_rejected_messages_are_counted_by_reason_and_cost_nothing_else(self):
        with FakeDaemon(reject={"f1": "score_out_of_range"}) as daemon, publisher(daemon.endpoint) as target:
            publish(target, names(3))
            with self.assertLogs("detwatch", "WARNING"):
                self.assertTrue(target.flush(10))
                self.assertTrue(until(lambda: target.stats.rejected))
            self.assertEqual(target.stats.rejected, {"score_out_of_range": 1})
            self.assertEqual(target.stats.recent_rejects[0].detail, "frame f1")
            self.assertEqual(daemon.frame_ids(), ["f0", "f2"])

    def test_messages_over_a_limit_become_tombstones(self):
        with FakeDaemon(limits={"message_bytes": 400, "boxes_per_frame": 20}) as daemon, \
                publisher(daemon.endpoint) as target:
            # Encoded before the limits are told.
            target.predictions("large", [[0, 0, 1, 1]] * 60, [0.5] * 60, [0] * 60)
            with self.assertLogs("detwatch", "WARNING"):
                self.assertTrue(target.flush(10))
                target.predictions("many", [[0, 0, 1, 1]] * 21, [0.5] * 21, [0] * 21)
                publish(target, ["small"])
                self.assertTrue(target.flush(10))
            self.assertEqual([(t.reason, t.frames) for t in daemon.items("tombstone")],
                             [("oversized", 1), ("too_many_boxes", 1)])
            self.assertEqual(daemon.frame_ids(), ["small"])
            self.assertEqual(target.stats.rejected, {"oversized": 1, "too_many_boxes": 1})

    def test_announcements_beyond_a_limit_are_named_by_their_option(self):
        with FakeDaemon(limits={"classes_per_list": 1, "tags": 1}) as daemon, \
                self.assertLogs("detwatch", "WARNING") as logs, \
                publisher(daemon.endpoint, tags={"a": "x", "b": "x"}, stream_tags={"a": "x"}) as target:
            self.assertTrue(until(lambda: target.stats.connected))
        said = "\n".join(logs.output)
        self.assertIn(": class_names: 2, the daemon takes 1", said)
        self.assertIn(": tags: 2, the daemon takes 1", said)
        self.assertNotIn("stream_tags", said)

    def test_frames_of_a_class_list_that_is_too_long_are_refused_here(self):
        # A daemon that has refused a list lets its frames wait for it first, and refuses each half a minute later.
        with FakeDaemon(limits={"classes_per_list": 1, "boxes_per_frame": 10}) as daemon, \
                self.assertLogs("detwatch", "WARNING"), publisher(daemon.endpoint) as target:
            self.assertTrue(until(lambda: target.stats.connected))
            publish(target, ["one"])
            target.predictions("many", [[0, 0, 1, 1]] * 11, [0.5] * 11, [0] * 11)
            self.assertTrue(target.flush(10))
            self.assertEqual(daemon.frame_ids(), [])
            self.assertEqual(target.stats.rejected, {"too_many_boxes": 1, "too_many_classes": 1})
            self.assertEqual([item.detail for item in target.stats.recent_rejects],
                             ["2 class names, the daemon takes 1", "11 boxes, the daemon takes 10"])

    def test_announcements_that_are_too_large_are_tried_as_seldom_as_others(self):
        # Regression: they were due again as soon as their tombstone was sent, without an end.
        for limits in ({"message_bytes": 300}, {"batch_items": 1}):
            with FakeDaemon(limits=limits) as daemon, self.assertLogs("detwatch", "WARNING"), \
                    publisher(daemon.endpoint,
                              class_names=[f"a class of a name that is long {i}" for i in range(30)]) as target:
                self.assertTrue(until(lambda: "oversized" in target.stats.rejected))
                for name in names(20):
                    publish(target, [name])
                    self.assertTrue(target.flush(10))
                self.assertEqual(daemon.frame_ids(), names(20))
                self.assertEqual([(t.reason, t.frames) for t in daemon.items("tombstone")], [("oversized", 0)])
                self.assertEqual(target.stats.rejected, {"oversized": 1})

    def test_announcements_do_not_ride_where_the_daemon_takes_fewer_items(self):
        with FakeDaemon(limits={"batch_items": 2}) as daemon, publisher(daemon.endpoint) as target:
            publish(target, names(3))
            self.assertTrue(target.flush(10))
            self.assertEqual(daemon.frame_ids(), names(3))
            self.assertEqual(target.stats.rejected, {})

    def test_a_newer_run_with_the_same_name_ends_this_one(self):
        with FakeDaemon() as daemon, publisher(daemon.endpoint, name="camera") as target:
            publish(target, names(1))
            self.assertTrue(target.flush(10))
            daemon.stale = True
            with self.assertLogs("detwatch", "ERROR"):
                publish(target, ["late"])
                self.assertTrue(until(lambda: target.stats.superseded))
            publish(target, ["later"])
            self.assertEqual(target.stats.pending, 0)
            self.assertGreaterEqual(target.stats.dropped, 1)
            self.assertFalse(target.flush(10))


class WindowTest(unittest.TestCase):
    NOWHERE = "tcp://127.0.0.1:9"

    def test_without_a_daemon_the_oldest_are_dropped_and_nobody_waits(self):
        target = publisher(self.NOWHERE, window_bytes=2000)
        publish(target, names(1000))
        stats = target.stats
        self.assertEqual(stats.dropped + stats.pending, 1000)
        self.assertGreater(stats.dropped, 900)
        self.assertFalse(target.close(0.01))

    def test_the_daemon_is_told_what_was_dropped(self):
        with FakeDaemon() as daemon:
            endpoint = daemon.endpoint
        target = publisher(endpoint, window_bytes=2000)
        publish(target, names(100))
        dropped = target.stats.dropped
        with target, FakeDaemon(endpoint) as daemon:
            self.assertTrue(target.flush(10))
            self.assertEqual(daemon.frame_ids(), names(100)[dropped:])
            self.assertEqual(daemon.lost, dropped)

    def test_block_waits_for_room_and_loses_nothing(self):
        with FakeDaemon(durable=False) as daemon, \
                publisher(daemon.endpoint, window_bytes=1000, on_full="block") as target:
            caller = threading.Thread(target=publish, args=(target, names(100)))
            caller.start()
            self.assertTrue(until(lambda: len(daemon.frame_ids()) >= 5))
            self.assertTrue(caller.is_alive())
            daemon.durable = True
            caller.join(10)
            self.assertFalse(caller.is_alive())
            self.assertTrue(target.flush(10))
            self.assertEqual(daemon.frame_ids(), names(100))
            self.assertEqual(target.stats.dropped, 0)

    def test_a_message_larger_than_the_window_is_sent_when_the_window_is_empty(self):
        with FakeDaemon() as daemon, publisher(daemon.endpoint, window_bytes=10) as target:
            publish(target, ["f0"])
            self.assertTrue(target.flush(10))
            self.assertEqual(daemon.frame_ids(), ["f0"])


class IdentityTest(unittest.TestCase):
    def test_the_name_is_kept_and_the_epoch_rises_with_each_run(self):
        with FakeDaemon() as daemon:
            for _ in range(2):
                with publisher(daemon.endpoint, name="camera-1") as target:
                    publish(target, names(1))
            headers = daemon.data_headers()
            self.assertEqual({header.publisher for header in headers}, {"camera-1"})
            self.assertGreater(headers[-1].epoch, headers[0].epoch)

    def test_two_publishers_of_a_process_have_different_names(self):
        with FakeDaemon() as daemon, publisher(daemon.endpoint) as one, publisher(daemon.endpoint) as two:
            self.assertNotEqual(one.name, two.name)

    def test_a_forked_child_publishes_under_its_own_epoch_and_leaves_the_parent_alone(self):
        with FakeDaemon() as daemon, publisher(daemon.endpoint) as target:
            publish(target, ["parent"])
            self.assertTrue(target.flush(10))

            def work():
                publish(target, ["child"])
                os._exit(0 if target.close(10) and target.stats.acknowledged == 1 else 1)

            child = multiprocessing.get_context("fork").Process(target=work)
            child.start()
            child.join(20)
            self.assertEqual(child.exitcode, 0)
            publish(target, ["again"])
            self.assertTrue(target.flush(10))
            self.assertEqual(sorted(daemon.frame_ids()), ["again", "child", "parent"])
            self.assertEqual(len({(h.publisher, h.epoch) for h in daemon.data_headers()}), 2)


class LifeTest(unittest.TestCase):
    def test_leaving_the_context_flushes(self):
        with FakeDaemon() as daemon:
            with publisher(daemon.endpoint) as target:
                publish(target, names(20))
            self.assertEqual(daemon.frame_ids(), names(20))

    def test_a_closed_publisher_says_so(self):
        with FakeDaemon() as daemon:
            target = publisher(daemon.endpoint)
            self.assertTrue(target.close())
            self.assertTrue(target.close())
            with self.assertRaisesRegex(RuntimeError, "closed"):
                publish(target, ["f0"])

    def test_an_endpoint_that_cannot_be_is_an_argument_error(self):
        for endpoint in ("127.0.0.1:5557", "tcp://127.0.0.1:x", "carrier://pigeon", None):
            with self.subTest(endpoint), self.assertRaisesRegex(ValueError, "^endpoint"):
                publisher(endpoint)

    def test_many_threads_may_publish(self):
        with FakeDaemon() as daemon, publisher(daemon.endpoint) as target:
            threads = [threading.Thread(target=publish, args=(target, names(50, start=100 * i)))
                       for i in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertTrue(target.flush(10))
            self.assertEqual(len(set(daemon.frame_ids())), 200)


class PlainTest(unittest.TestCase):
    def test_frames_wait_for_the_subscription_so_the_first_is_not_lost(self):
        with FakeSubscriber() as daemon:
            target = publisher(daemon.endpoint, reliable=False)
            publish(target, names(3))
            seen, sequences = [], []
            while len(seen) < 3:
                header, payload = daemon.receive()
                sequences.append(header.sequence)
                self.assertEqual(header.oldest_held, 0)
                items = payload.batch.items if payload.HasField("batch") else [payload]
                seen += [item.predictions.frame.frame_id for item in items if item.HasField("predictions")]
                if len(sequences) == 1:
                    self.assertTrue(items[0].HasField("class_list"))
            self.assertEqual(seen, names(3))
            self.assertEqual(sequences, list(range(1, len(sequences) + 1)))
            self.assertTrue(target.close(10))
            self.assertEqual((target.stats.sent, target.stats.acknowledged), (3, 0))

    def test_without_a_subscriber_the_window_is_the_bound(self):
        target = publisher("tcp://127.0.0.1:9", reliable=False, window_bytes=2000)
        publish(target, names(1000))
        self.assertGreater(target.stats.dropped, 900)
        self.assertFalse(target.flush(0.01))
        self.assertFalse(target.close(0.01))

    def test_closing_waits_for_what_is_in_the_socket(self):
        with FakeSubscriber() as daemon:
            target = publisher(daemon.endpoint, reliable=False)
            publish(target, names(1))
            self.assertIsNotNone(daemon.receive())
            publish(target, names(500, start=1))
            self.assertTrue(target.close(10))
            for sequence in range(2, 502):
                self.assertEqual(daemon.receive()[0].sequence, sequence)


if __name__ == "__main__":
    unittest.main()
