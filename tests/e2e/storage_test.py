#!/usr/bin/python3
"""The store of the daemon: who may open it, what is refused, a full disk, and what a start brings back."""

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


def send_frames(sender, first, last):
    for number in range(first, last):
        sender.send(raw.predictions(f"frame-{number}"))
        sender.send(raw.labels(f"frame-{number}"))


class StorageTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="detwatch-storage-")
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name) / "store"

    def daemon(self, *arguments, storage=None, **options):
        return harness.Daemon.on_fixed_ports(*arguments, config=CONFIG, storage=storage or self.path, **options)

    def sender(self, daemon, name="detector"):
        sender = raw.Sender(daemon.reliable, name)
        self.addCleanup(sender.close)
        raw.announce(sender)
        return sender

    def refused(self, *arguments, storage=None):
        """What a start says that must not succeed."""
        done = harness.run("serve", "--web.listen-address", "127.0.0.1:0", "--ingest.subscribe", "tcp://127.0.0.1:0",
                           "--ingest.reliable", "tcp://127.0.0.1:0", "--storage.path", storage or self.path, *arguments,
                           timeout=30)
        text = done.stdout + done.stderr
        self.assertEqual(done.returncode, 1, text)
        self.assertIn(str(storage or self.path), text)
        return text

    def filled(self, frames=300, restarts=2):
        """A store with so many judged frames, left by kills; the counters it holds."""
        daemon = self.daemon()
        for part in range(restarts + 1):
            sender = self.sender(daemon, f"detector {part}")
            send_frames(sender, part * frames // (restarts + 1), (part + 1) * frames // (restarts + 1))
            sender.wait_acknowledged()
            if part == restarts:
                metrics = daemon.wait_judged(frames)
            daemon.stop(signal.SIGKILL)
            daemon = daemon.again() if part < restarts else daemon
        return compare.pipeline_counters(metrics, ())

    def copy(self, name):
        target = pathlib.Path(self.folder.name) / name
        shutil.copytree(self.path, target)
        return target

    # Starts.

    def test_a_restart_keeps_the_store_id_and_makes_a_new_boot_id(self):
        daemon = self.daemon()
        sender = self.sender(daemon)
        send_frames(sender, 0, 100)
        sender.wait_acknowledged()
        first = sender.ask()
        self.assertEqual(first.durable, sender.last)
        self.assertGreater(first.credit_bytes, 0)
        self.assertEqual(daemon.metrics().get("detwatch_storage_info", store_id=first.store_id), 1)
        self.assertEqual(daemon.metrics().get("detwatch_storage_writable"), 1)
        boots = {first.boot_id}
        for how in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
            self.assertEqual(daemon.stop(how), 0 if how == signal.SIGTERM else -how)
            daemon = daemon.again()
            reply = sender.ask()
            self.assertEqual(reply.store_id, first.store_id)
            self.assertEqual((reply.received, reply.durable), (sender.last, sender.last))
            boots.add(reply.boot_id)
            metrics = daemon.wait_judged(100)
            self.assertEqual(metrics.sum("detwatch_frames_judged_total"), 100)
            self.assertEqual(metrics.sum("detwatch_true_positives_total", iou="0.50", confidence="0.5"), 100)
        self.assertEqual(len(boots), 4)
        daemon.stop()

    def test_sigterm_writes_a_last_checkpoint_and_what_it_holds_is_there_after_the_start(self):
        config = "storage:\n  checkpoint: 60s\n"
        daemon = harness.Daemon.on_fixed_ports(config=config, storage=self.path)
        sender = self.sender(daemon)
        send_frames(sender, 0, 500)
        self.assertEqual(sender.ask().durable, 0, "no checkpoint yet")
        self.assertEqual(daemon.stop(), 0, daemon.log())
        sender.wait_acknowledged(10)
        with daemon.again() as daemon:
            metrics = daemon.wait_judged(500, 10)
            self.assertEqual(metrics.sum("detwatch_frames_judged_total"), 500)

    def test_nothing_is_acknowledged_before_its_checkpoint(self):
        daemon = harness.Daemon.on_fixed_ports(config="storage:\n  checkpoint: 60s\n", storage=self.path)
        sender = self.sender(daemon)
        send_frames(sender, 0, 100)
        reply = sender.ask()
        self.assertEqual((reply.received, reply.durable), (sender.last, 0))
        daemon.stop(signal.SIGKILL)
        with daemon.again() as daemon:
            reply = sender.ask()
            self.assertEqual((reply.received, reply.durable), (0, 0))
            self.assertEqual(daemon.metrics().sum("detwatch_frames_total"), 0)

    def test_metrics_are_those_of_before_at_the_first_scrape_after_a_start(self):
        counters = self.filled()
        with self.daemon() as daemon:
            compare.check_same(self, compare.pipeline_counters(daemon.metrics(), ()), counters, what="first scrape")

    # Who may not.

    def test_a_second_daemon_on_one_store_is_refused_and_the_first_goes_on(self):
        with self.daemon() as daemon:
            text = self.refused()
            self.assertRegex(text, "another detwatch")
            self.assertIn(str(daemon.process.pid), text)
            sender = self.sender(daemon)
            send_frames(sender, 0, 10)
            sender.wait_acknowledged()

    def test_a_folder_of_somebody_else_is_refused_and_not_written_to(self):
        self.path.mkdir()
        (self.path / "thesis.tex").write_text("years of work", encoding="ascii")
        self.assertIn("thesis.tex", self.refused())
        self.assertEqual([entry.name for entry in self.path.iterdir()], ["thesis.tex"])

    def test_a_store_of_a_newer_format_is_refused_and_stays_as_it_is(self):
        counters = self.filled()
        program = harness.BUILD / "tests/system/set_format"
        if not program.exists():
            self.skipTest(f"{program} is not built")
        newer = self.copy("newer")
        harness.checked(program, newer, 99)
        text = self.refused(storage=newer)
        self.assertRegex(text, r"newer.*format 99")
        self.assertIn("nothing was changed", text)
        self.refused(storage=newer)
        with self.daemon() as daemon:
            compare.check_same(self, compare.pipeline_counters(daemon.metrics(), ()), counters, what="the original")

    # Damage.

    def test_damage_is_refused_with_what_to_do_and_repair_keeps_what_can_be_read(self):
        self.filled()

        def newest(pattern):
            return lambda store: max(store.glob(pattern), key=lambda file: file.stat().st_mtime_ns)

        def cut(choose, keep):
            def damage(store):
                file = choose(store)
                size = file.stat().st_size
                self.assertGreater(size, 20, file)
                os.truncate(file, int(size * keep))
            return damage

        def garbage(choose):
            def damage(store):
                file = choose(store)
                file.write_bytes(os.urandom(file.stat().st_size))
            return damage

        cases = {
            "table cut": cut(newest("*.sst"), 0.5),
            "table empty": cut(newest("*.sst"), 0),
            "table of garbage": garbage(newest("*.sst")),
            "table missing": lambda store: newest("*.sst")(store).unlink(),
            "CURRENT missing": lambda store: (store / "CURRENT").unlink(),
            "MANIFEST of garbage": garbage(newest("MANIFEST-*")),
            "MANIFEST missing": lambda store: newest("MANIFEST-*")(store).unlink(),
            "marker missing": lambda store: (store / "DETWATCH").unlink(),
        }
        for number, (name, damage) in enumerate(cases.items()):
            with self.subTest(damage=name):
                store = self.copy(f"damaged-{number}")
                damage(store)
                before = {file.name: file.stat().st_size for file in store.iterdir() if file.is_file()}
                text = self.refused(storage=store)
                self.assertRegex(text, "damaged")
                self.assertRegex(text, r"--storage\.repair")
                after = {file.name: file.stat().st_size for file in store.iterdir() if file.is_file()}
                for file, size in before.items():
                    if file not in ("detwatch.lock", "LOCK", "LOG"):
                        self.assertEqual(after.get(file), size, f"{file} was changed")
                with self.daemon("--storage.repair", storage=store) as daemon:
                    # Fewer than there were, and never more; it counts on.
                    kept = daemon.metrics().sum("detwatch_frames_judged_total")
                    self.assertLessEqual(kept, 300)
                    sender = self.sender(daemon, f"after {name}")
                    send_frames(sender, 1000, 1050)
                    sender.wait_acknowledged()
                    metrics = harness.wait_for(
                        lambda: (m := daemon.metrics()).sum("detwatch_frames_judged_total") >= kept + 50 and m, "50 more")
                    self.assertEqual(metrics.sum("detwatch_frames_judged_total"), kept + 50)
                    self.assertEqual(daemon.stop(), 0)
                    with daemon.again() as again:
                        self.assertEqual(again.metrics().sum("detwatch_frames_judged_total"), kept + 50)

    def test_a_log_that_ends_in_the_middle_of_a_record_loses_nothing_that_was_acknowledged(self):
        """What a kill in the middle of a write leaves behind."""
        counters = self.filled()
        store = self.copy("torn")
        log = max(store.glob("*.log"), key=lambda file: file.stat().st_mtime_ns)
        with open(log, "ab") as file:
            file.write(os.urandom(7))
        with self.daemon(storage=store) as daemon:
            compare.check_same(self, compare.pipeline_counters(daemon.metrics(), ()), counters, what="torn log")

    def test_repair_of_a_store_that_is_whole_changes_no_count(self):
        counters = self.filled()
        with self.daemon("--storage.repair") as daemon:
            compare.check_same(self, compare.pipeline_counters(daemon.metrics(), ()), counters, what="repaired")

    def test_a_store_that_was_moved_away_is_a_new_store_and_publishers_go_on(self):
        import detwatch
        daemon = self.daemon()
        with detwatch.Publisher(daemon.reliable, model="m", class_names=["car"], on_full="block") as publisher:
            def publish(first, last):
                for number in range(first, last):
                    publisher.predictions(number, [[0, 0, 10, 10]], [0.9], [0])
                    publisher.labels(number, [[0, 0, 10, 10]], [0])
            publish(0, 50)
            self.assertTrue(publisher.flush(30))
            first = daemon.metrics().all("detwatch_storage_info")
            daemon.stop(signal.SIGKILL)
            self.path.rename(self.path.with_name("moved"))
            publish(50, 80)
            with daemon.again() as daemon:
                self.assertTrue(publisher.flush(30))
                metrics = daemon.wait_judged(30)
                self.assertNotEqual(metrics.all("detwatch_storage_info"), first)
                self.assertEqual(metrics.sum("detwatch_frames_judged_total"), 30)
                self.assertEqual(metrics.sum("detwatch_messages_lost_total"), 0)
            # The old one is whole, and can be put back.
            with daemon.again(storage=self.path.with_name("moved")) as old:
                self.assertEqual(old.metrics().all("detwatch_storage_info"), first)
                self.assertEqual(old.metrics().sum("detwatch_frames_judged_total"), 50)


class FullDiskTest(unittest.TestCase):
    """On a small file system of its own, which needs the right to mount."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="detwatch-disk-")
        self.addCleanup(self.folder.cleanup)
        self.disk = pathlib.Path(self.folder.name)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "detwatch-test", self.disk], capture_output=True,
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
        """Sends into a disk that fills up until the daemon says so; how many frames were sent."""
        self.fill()
        frames = 1000
        deadline = time.monotonic() + 60
        while daemon.get("/-/ready")[0] == 200:
            self.assertLess(time.monotonic(), deadline, "the disk is full, and the daemon does not notice")
            send_frames(sender, frames, frames + 20)
            frames += 20
            sender.receive()
            time.sleep(0.05)
            self.fill()
        return frames - 1000

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
        send_frames(sender, 0, 200)
        sender.wait_acknowledged()
        store_id = sender.ask().store_id
        frames = self.full(daemon, sender)
        durable = self.check_full(daemon, sender).durable
        window = lambda metrics: metrics.get("detwatch_window_frames", window="total", view="default", model="good",
                                             version="1")
        before = window(daemon.metrics())
        send_frames(sender, 20000, 20100)
        reply = sender.ask()
        self.assertEqual(reply.received, sender.last, "it reads on")
        harness.wait_for(lambda: window(daemon.metrics()) >= max(before, 200) + 100, "counting goes on in memory")
        reply = self.check_full(daemon, sender)
        self.assertEqual(reply.durable, durable, "nothing is acknowledged")
        self.assertLess(reply.durable, reply.received)
        self.assertIsNone(daemon.process.poll(), daemon.log())
        self.make_room()
        harness.wait_for(lambda: daemon.get("/-/ready")[0] == 200, "ready again by itself", 30)
        sender.wait_acknowledged(30)
        self.assertGreater(sender.ask().credit_bytes, 0)
        metrics = harness.wait_for(
            lambda: (m := daemon.metrics()).sum("detwatch_frames_judged_total") >= 300 + frames and m, "all judged", 20)
        self.assertEqual(metrics.sum("detwatch_frames_judged_total"), 300 + frames)
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
