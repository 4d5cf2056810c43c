#!/usr/bin/python3
"""A full disk and a read-only one: the daemon says so, acknowledges nothing, and goes on when there is room."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import compare
import harness
import raw

CONFIG = "storage:\n  checkpoint: 100ms\n"


class FullDiskTest(unittest.TestCase):
    """On a small file system of its own, which needs the right to mount; DETWATCH_REQUIRE_MOUNT=1: fails without."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="detwatch-disk-")
        self.addCleanup(self.folder.cleanup)
        self.disk = pathlib.Path(self.folder.name)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128m", "detwatch-test", self.disk], capture_output=True,
                              text=True, timeout=20, check=False)
        if done.returncode != 0:
            message = f"a test of a full disk may not mount one: {done.stderr.strip()}"
            if os.environ.get("DETWATCH_REQUIRE_MOUNT") == "1":
                self.fail(message)
            self.skipTest(message)
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk], timeout=20, check=False)
        self.path = self.disk / "store"

    def fill(self):
        """Until nothing more fits."""
        with open(self.disk / "filler", "ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    pass

    def make_room(self):
        (self.disk / "filler").unlink()

    def daemon(self, **options):
        return harness.Daemon.on_fixed_ports(config=CONFIG, storage=self.path, **options)

    def full(self, daemon, sender):
        """Sends into a disk that fills up until the daemon says so. What waits is kept as it came, so that large
        frames without labels are soon beyond what was set aside for the log."""
        self.fill()
        sent, deadline = 0, time.monotonic() + 60
        while daemon.get("/-/ready")[0] == 200:
            self.assertLess(time.monotonic(), deadline, "the disk is full, and the daemon does not notice")
            for _ in range(20):
                sender.send(raw.broken(lambda message: self.enlarge(message, sent)))
                sent += 1
            sender.receive()
            time.sleep(0.05)
            self.fill()

    def enlarge(self, message, number):
        message.frame.frame_id = f"large-{number}"
        message.boxes.CopyFrom(raw.boxes([number % 100, 1, 20, 20] * 2000))
        message.scores[:] = [0.5] * 2000
        message.class_ids[:] = [1] * 2000

    def check_full(self, daemon, sender):
        status, _, body = daemon.get("/-/ready")
        self.assertEqual(status, 503)
        self.assertRegex(body.decode("utf-8"), r"storage.*(?i:no space)")
        self.assertEqual(daemon.get("/-/healthy")[0], 200)
        metrics = daemon.metrics()
        self.assertEqual(metrics.get("detwatch_storage_writable"), 0)
        self.assertEqual(metrics.get("detwatch_ready"), 0)
        self.assertGreater(metrics.get("detwatch_checkpoint_failures_total"), 0)
        reply = sender.ask()
        self.assertEqual(reply.credit_bytes, 0)
        return reply

    def test_a_full_disk_stops_acknowledgements_and_not_the_counting_and_all_goes_on_when_there_is_room(self):
        daemon = self.daemon()
        sender = raw.Sender(daemon.reliable, "detector")
        self.addCleanup(sender.close)
        raw.announce(sender)
        raw.send_frames(sender, 0, 200)
        sender.wait_acknowledged()
        store_id = sender.ask().store_id
        self.full(daemon, sender)
        durable = self.check_full(daemon, sender).durable
        window = lambda metrics: metrics.get("detwatch_window_frames", window="total", view="default", model="good",
                                             version="1")
        before = window(daemon.metrics())
        raw.send_frames(sender, 20000, 20100)
        harness.wait_for(lambda: sender.ask().received == sender.last, "it reads on")
        harness.wait_for(lambda: window(daemon.metrics()) >= max(before, 200) + 100, "counting goes on in memory")
        reply = self.check_full(daemon, sender)
        self.assertEqual(reply.durable, durable, "nothing is acknowledged")
        self.assertLess(reply.durable, reply.received)
        self.assertIsNone(daemon.process.poll(), daemon.log())
        self.make_room()
        try:
            harness.wait_for(lambda: daemon.get("/-/ready")[0] == 200, "ready again by itself", 30)
        except AssertionError as error:
            facts = shutil.disk_usage(self.disk), daemon.get("/-/ready")[2]
            raise AssertionError(f"{error}: {facts}\n{daemon.log()}") from None
        sender.wait_acknowledged(30)
        self.assertGreater(sender.ask().credit_bytes, 0)
        metrics = harness.wait_for(
            lambda: (m := daemon.metrics()).sum("detwatch_frames_judged_total") >= 300 and m, "all judged", 20)
        self.assertEqual(metrics.sum("detwatch_frames_judged_total"), 300)
        self.assertEqual(metrics.get("detwatch_storage_writable"), 1)
        counters = compare.pipeline_counters(metrics)
        daemon.stop(signal.SIGKILL)
        with daemon.again() as daemon:
            self.assertEqual(sender.ask().store_id, store_id)
            compare.check_same(self, compare.pipeline_counters(daemon.metrics()), counters, what="after it all")

    def test_kill_9_while_the_disk_is_full_loses_nothing_that_was_acknowledged(self):
        import detwatch
        daemon = self.daemon()
        with detwatch.Publisher(daemon.reliable, name="steady", model="m", class_names=["car"],
                                on_full="block") as publisher:
            frames = 0

            def publish(count):
                nonlocal frames
                for number in range(frames, frames + count):
                    publisher.predictions(number, [[0, 0, 10, 10]], [0.9], [0])
                    publisher.labels(number, [[0, 0, 10, 10]], [0])
                frames += count
            publish(200)
            self.assertTrue(publisher.flush(30))
            sender = raw.Sender(daemon.reliable, "filler")
            self.addCleanup(sender.close)
            raw.announce(sender)
            self.full(daemon, sender)
            publish(200)
            self.assertFalse(publisher.flush(1.5), "nothing is acknowledged")
            self.assertLess(publisher.stats.acknowledged, 2 * frames)
            daemon.stop(signal.SIGKILL)
            # A start on a full disk serves what it has, or says what is wrong; it damages nothing.
            tried = daemon.again(wait=False)
            time.sleep(2)
            if tried.process.poll() is None:
                tried.stop(signal.SIGKILL)
            else:
                self.assertEqual(tried.process.returncode, 1, tried.log())
                self.assertIn(str(self.path), tried.log())
                self.assertRegex(tried.log(), r"(?i)space|room")
            self.make_room()
            with daemon.again() as daemon:
                publish(100)
                self.assertTrue(publisher.flush(30))
                metrics = harness.wait_for(
                    lambda: (m := daemon.metrics()).get("detwatch_model_frames_judged_total", model="m") >= frames and m,
                    "all judged")
                self.assertEqual(metrics.get("detwatch_model_frames_judged_total", model="m"), frames)
                self.assertEqual(metrics.get("detwatch_model_frames_total", model="m"), frames)

    def test_a_read_only_file_system_is_exit_code_1_with_what_to_do(self):
        daemon = self.daemon()
        daemon.stop()
        subprocess.run(["mount", "-o", "remount,ro", self.disk], check=True, timeout=20)
        done = harness.run("serve", "--web.listen-address", "127.0.0.1:0", "--ingest.subscribe", "tcp://127.0.0.1:0",
                           "--ingest.reliable", "tcp://127.0.0.1:0", "--storage.path", self.path, timeout=20)
        text = done.stdout + done.stderr
        self.assertEqual(done.returncode, 1, text)
        self.assertIn(str(self.path), text)
        self.assertRegex(text, r"(?i)read-only")
        subprocess.run(["mount", "-o", "remount,rw", self.disk], check=True, timeout=20)
        daemon.again().stop()


if __name__ == "__main__":
    harness.main()
