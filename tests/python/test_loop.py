"""What a loop around a detector, or several threads of it, may rely on: it is never made to wait unless it asked
to, it learns how far acknowledgement has come, and an end has a deadline."""
import multiprocessing
import os
import threading
import unittest

import detwatch
from detwatch._window import Ack, SendWindow
from detwatch.v1 import detwatch_pb2 as pb
from fake_daemon import Books, FakeDaemon, until
from test_delivery import names, publish, publisher

NOWHERE = "tcp://127.0.0.1:9"


def predict(target, name):
    return target.predictions(name, [[0, 0, 10, 10]], [0.5], [0])


def in_thread(work):
    """A started thread, and the list its result or exception goes to."""
    outcome = []

    def run():
        try:
            outcome.append(work())
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, outcome


class ProgressTest(unittest.TestCase):
    def test_a_message_is_known_by_its_sequence_until_it_is_durable(self):
        with FakeDaemon() as daemon, publisher(daemon.endpoint) as target:
            first = predict(target, "f0")
            self.assertTrue(target.flush(10))
            self.assertGreaterEqual(target.stats.acknowledged_sequence, first)
            daemon.durable_up_to = target.stats.acknowledged_sequence
            second, third = predict(target, "f1"), target.labels("f1", [], [])
            self.assertLess(first, second)
            self.assertLess(second, third)
            self.assertTrue(until(lambda: len(daemon.frame_ids()) == 3))
            self.assertFalse(target.flush(0.01))
            self.assertLess(target.stats.acknowledged_sequence, second)
            daemon.durable_up_to = second
            self.assertTrue(until(lambda: target.stats.acknowledged_sequence == second))
            daemon.durable_up_to = third
            self.assertTrue(target.flush(10))
            self.assertEqual(target.stats.acknowledged_sequence, third)

    def test_a_rejected_message_is_named_by_its_sequence(self):
        with FakeDaemon(reject={"f1": "class_unknown"}, limits={"boxes_per_frame": 2}) as daemon, \
                publisher(daemon.endpoint) as target, self.assertLogs("detwatch", "WARNING"):
            predict(target, "f0")
            self.assertTrue(target.flush(10))
            refused = [predict(target, "f1"), target.predictions("many", [[0, 0, 1, 1]] * 3, [0.5] * 3, [0] * 3)]
            last = predict(target, "f2")
            self.assertTrue(target.flush(10))
            self.assertTrue(until(lambda: len(target.stats.recent_rejects) == 2))
            self.assertEqual(sorted(item.sequence for item in target.stats.recent_rejects), refused)
            self.assertGreaterEqual(target.stats.acknowledged_sequence, last)

    def test_a_daemon_that_lost_its_store_takes_no_acknowledgement_back(self):
        window = SendWindow(1000)
        window.push(b"x")
        window.on_reply(Ack("s1", "b1", 0, 0, 1000, 0), 1.0)
        window.mark_sent()
        window.on_reply(Ack("s1", "b1", 1, 1, 1000, 0), 2.0)
        window.on_reply(Ack("s2", "b2", 0, 0, 1000, 0), 3.0)
        self.assertEqual(window.acknowledged_sequence, 1)

    def test_messages_are_counted_once_however_often_they_are_sent(self):
        window = SendWindow(1000)
        for announcement in (False, False, False, True):
            window.push(b"x", announcement)
        for again in (False, True):
            window.on_reply(Ack("s", "b", 0, 0, 1000, 0), 1.0)
            while window.next_to_send() is not None:
                self.assertEqual(window.repeats, again)
                window.mark_sent()
            window.reconnected()
        window.on_reply(Ack("s", "b", 4, 4, 1000, 0), 2.0)
        self.assertEqual((window.sent, window.resent, window.acknowledged, window.pending), (3, 3, 3, 0))

    def test_the_publishers_own_announcements_are_never_pending(self):
        # Regression: a repeated announcement that waited for its acknowledgement was counted as a message.
        window = SendWindow(1000)
        window.push(b"x")
        window.push(b"y", announcement=True)
        self.assertEqual(window.pending, 1)
        window.drop_oldest()
        self.assertEqual(window.pending, 0)
        window.drop_all()
        self.assertEqual((window.pending, window.dropped), (0, 1))

    def test_without_acknowledgements_none_is_claimed(self):
        target = publisher(NOWHERE)
        predict(target, "f0")
        self.assertEqual(target.stats.acknowledged_sequence, 0)
        with self.assertLogs("detwatch", "WARNING"):
            target.close(0)

    def test_the_fate_of_labels_is_in_the_statistics(self):
        with FakeDaemon() as daemon, publisher(daemon.endpoint) as target:
            target.labels("f0", [], [])
            self.assertTrue(target.flush(10))
            self.assertEqual(target.stats.labels, detwatch.LabelTally(0, 0, 0, 0, 0, 0))
            daemon.tally = pb.LabelTally(joined=7, waiting=6, corrected=5, duplicate=4, late=3, refused=2)
            self.assertTrue(until(lambda: target.stats.labels.joined))
            self.assertEqual(target.stats.labels, detwatch.LabelTally(
                joined=7, waiting=6, corrected=5, duplicate=4, late=3, refused=2))
            daemon.tally = None  # an answer that says nothing of labels changes nothing
            hellos = daemon.hellos()
            self.assertTrue(until(lambda: daemon.hellos() >= hellos + 2))
            self.assertEqual(target.stats.labels.joined, 7)
            daemon.books.store_id = "another"  # whose counts are not those
            self.assertTrue(until(lambda: target.stats.labels == detwatch.LabelTally()))


class NeverWaitTest(unittest.TestCase):
    """The only place where a caller could wait is made to fail."""

    def assert_nobody_waits(self, target):
        def wait(*_):
            raise AssertionError("the caller was made to wait")

        wait_for_changes = target._link._changed.wait
        target._link._changed.wait = wait
        publish(target, names(1000))
        target._link._changed.wait = wait_for_changes
        stats = target.stats
        self.assertGreater(stats.dropped, 900)
        self.assertEqual(stats.dropped + stats.pending + stats.acknowledged, 1000)
        with self.assertLogs("detwatch", "WARNING"):
            self.assertFalse(target.close(0))

    def test_nobody_waits_for_a_daemon_that_is_away(self):
        self.assert_nobody_waits(publisher(NOWHERE, window_bytes=2000))
        self.assert_nobody_waits(publisher(NOWHERE, window_bytes=2000, reliable=False))

    def test_nobody_waits_for_a_daemon_that_never_answers(self):
        with FakeDaemon(mute=True) as daemon:
            target = publisher(daemon.endpoint, window_bytes=2000)
            self.assertTrue(until(daemon.hellos))
            self.assert_nobody_waits(target)

    def test_nobody_waits_for_a_daemon_without_credit(self):
        with FakeDaemon(credit=0) as daemon:
            target = publisher(daemon.endpoint, window_bytes=2000)
            self.assertTrue(until(lambda: target.stats.connected))
            self.assert_nobody_waits(target)

    def test_nobody_waits_for_a_daemon_whose_checkpoints_stand_still(self):
        with FakeDaemon(durable=False) as daemon:
            target = publisher(daemon.endpoint, window_bytes=2000)
            self.assertTrue(until(lambda: target.stats.connected))
            self.assert_nobody_waits(target)

    def test_credit_that_is_used_up_stops_sending_until_there_is_some_again(self):
        with FakeDaemon() as daemon, publisher(daemon.endpoint) as target:
            publish(target, names(5))
            self.assertTrue(target.flush(10))
            daemon.credit = 0  # its disk is full
            hellos = daemon.hellos()
            self.assertTrue(until(lambda: daemon.hellos() >= hellos + 2))
            sent = target.stats.sent
            publish(target, names(5, start=5))
            hellos = daemon.hellos()
            self.assertTrue(until(lambda: daemon.hellos() >= hellos + 2))
            self.assertEqual((target.stats.sent, target.stats.pending), (sent, 5))
            daemon.credit = 1 << 20
            self.assertTrue(target.flush(10))
            self.assertEqual(daemon.frame_ids(), names(10))
            self.assertEqual(target.stats.dropped, 0)


class BlockTest(unittest.TestCase):
    def blocked(self, target):
        """A call that waits for room, and its outcome."""
        waiting = threading.Event()
        wait = target._link._changed.wait

        def noted(*arguments):
            waiting.set()
            return wait(*arguments)

        target._link._changed.wait = noted
        thread, outcome = in_thread(lambda: [predict(target, name) for name in names(100)])
        self.assertTrue(waiting.wait(10))
        target._link._changed.wait = wait
        return thread, outcome

    def test_a_call_that_waits_goes_on_when_there_is_room(self):
        with FakeDaemon(durable=False) as daemon, \
                publisher(daemon.endpoint, window_bytes=1000, on_full="block") as target:
            thread, outcome = self.blocked(target)
            self.assertEqual(outcome, [])
            daemon.durable = True
            thread.join(10)
            self.assertEqual(outcome[0], sorted(set(outcome[0])))
            self.assertTrue(target.flush(10))
            self.assertEqual((target.stats.acknowledged, target.stats.dropped), (100, 0))

    def test_a_call_that_waits_is_told_of_the_close(self):
        target = publisher(NOWHERE, window_bytes=1000, on_full="block")
        thread, outcome = self.blocked(target)
        with self.assertLogs("detwatch", "WARNING"):
            self.assertFalse(target.close(0))
        thread.join(10)
        self.assertIsInstance(outcome[0], RuntimeError)

    def test_a_call_that_waits_ends_when_the_publisher_is_superseded(self):
        with FakeDaemon(durable=False) as daemon, \
                publisher(daemon.endpoint, window_bytes=1000, on_full="block") as target:
            thread, outcome = self.blocked(target)
            with self.assertLogs("detwatch", "ERROR"):
                daemon.stale = True
                thread.join(10)
            self.assertEqual(len(outcome[0]), 100)
            self.assertEqual(target.stats.dropped, 100)

    def test_threads_that_wait_for_room_lose_nothing_and_keep_their_order(self):
        with FakeDaemon() as daemon, publisher(daemon.endpoint, window_bytes=500, on_full="block") as target:
            workers = [in_thread(lambda w=w: [predict(target, f"{w}-{i}") for i in range(50)]) for w in range(4)]
            for thread, _ in workers:
                thread.join(20)
            self.assertTrue(target.flush(10))
            sequences = [sequence for _, outcome in workers for sequence in outcome[0]]
            self.assertEqual(len(set(sequences)), 200)
            for w in range(4):
                mine = [name for name in daemon.frame_ids() if name.startswith(f"{w}-")]
                self.assertEqual(mine, [f"{w}-{i}" for i in range(50)])
            self.assertEqual((target.stats.acknowledged, target.stats.dropped), (200, 0))


class EndTest(unittest.TestCase):
    def test_a_deadline_that_passes_leaves_the_messages_pending_and_says_how_many(self):
        with FakeDaemon(durable=False) as daemon:
            target = publisher(daemon.endpoint)
            publish(target, names(3))
            self.assertFalse(target.flush(0.01))
            self.assertEqual(target.stats.pending, 3)
            with self.assertLogs("detwatch", "WARNING") as log:
                self.assertFalse(target.close(0.01))
            self.assertRegex(log.output[0], "closed with 3 messages undelivered")
            self.assertEqual(target.stats.pending, 3)
            self.assertFalse(target._link._thread.is_alive())

    def test_what_is_closed_before_another_thread_publishes_takes_nothing_silently(self):
        with FakeDaemon() as daemon:
            target = publisher(daemon.endpoint)
            target._link.stop(linger=0)  # as if close() ran between the check and the queue
            with self.assertRaisesRegex(RuntimeError, "closed"):
                predict(target, "f0")
            self.assertEqual(target.stats.pending, 0)
            target.close(0)

    def test_an_exception_in_the_block_still_delivers_what_was_published(self):
        with FakeDaemon() as daemon:
            with self.assertRaises(ZeroDivisionError), publisher(daemon.endpoint) as target:
                publish(target, names(3))
                raise ZeroDivisionError
            self.assertEqual(daemon.frame_ids(), names(3))

    def test_a_forked_child_holds_and_counts_nothing_of_its_parent(self):
        with FakeDaemon(durable=False, books=Books()) as daemon:
            target = publisher(daemon.endpoint)
            publish(target, names(3))
            self.assertTrue(until(lambda: target.stats.sent == 3))

            def work():
                before = target.stats
                predict(target, "child")
                after = target.stats
                os._exit(0 if (before.pending, before.sent, after.pending) == (0, 0, 1) else 1)

            child = multiprocessing.get_context("fork").Process(target=work)
            child.start()
            child.join(20)
            self.assertEqual(child.exitcode, 0)
            self.assertEqual(target.stats.pending, 3)
            daemon.durable = True
            self.assertTrue(target.close(10))


if __name__ == "__main__":
    unittest.main()
