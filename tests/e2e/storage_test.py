#!/usr/bin/python3
"""The store of the daemon: who may open it, what is refused, and what a start brings back."""

import os
import pathlib
import shutil
import signal
import tempfile
import unittest

import compare
import harness
import raw

CONFIG = "storage:\n  checkpoint: 100ms\n"


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
            raw.send_frames(sender, part * frames // (restarts + 1), (part + 1) * frames // (restarts + 1))
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
        raw.send_frames(sender, 0, 100)
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
        raw.send_frames(sender, 0, 500)
        self.assertEqual(sender.ask().durable, 0, "no checkpoint yet")
        self.assertEqual(daemon.stop(), 0, daemon.log())
        sender.wait_acknowledged(10)
        with daemon.again() as daemon:
            metrics = daemon.wait_judged(500, 10)
            self.assertEqual(metrics.sum("detwatch_frames_judged_total"), 500)

    def test_nothing_is_acknowledged_before_its_checkpoint(self):
        daemon = harness.Daemon.on_fixed_ports(config="storage:\n  checkpoint: 60s\n", storage=self.path)
        sender = self.sender(daemon)
        raw.send_frames(sender, 0, 100)
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

    def test_ready_after_a_start_means_that_the_numbers_are_there(self):
        """With thousands of classes it was said for seconds before there was anything to scrape."""
        classes, per_frame = 5000, 250
        entries = [(key, f"class {key}") for key in range(classes)]
        hash_of = raw.class_list_hash(entries)
        pb = raw.pb
        daemon = self.daemon()
        sender = raw.Sender(daemon.reliable, "detector")
        self.addCleanup(sender.close)
        sender.send(pb.Payload(class_list=pb.ClassList(
            hash=hash_of, entries=[pb.ClassEntry(id=key, name=name) for key, name in entries])))
        sender.send(pb.Payload(model_info=pb.ModelInfo(model="wide", version="1", class_list_hash=hash_of)))
        for first in range(0, classes, per_frame):
            ids = list(range(first, first + per_frame))
            frame, boxes = pb.FrameRef(frame_id=f"frame-{first}"), raw.boxes([10, 10, 50, 50] * per_frame)
            sender.send(pb.Payload(predictions=pb.Predictions(
                frame=frame, model="wide", version="1", class_list_hash=hash_of, boxes=boxes, scores=[0.9] * per_frame,
                class_ids=ids)))
            sender.send(pb.Payload(labels=pb.Labels(frame=frame, class_list_hash=hash_of, boxes=boxes, class_ids=ids,
                                                    final=True)))
        sender.wait_acknowledged()
        metrics = daemon.wait_judged(classes // per_frame)
        hits = metrics.all("detwatch_true_positives_total")
        self.assertGreaterEqual(len(hits), classes)
        daemon.stop(signal.SIGKILL)
        with daemon.again(wait=False) as daemon:
            daemon.wait_listening(60)
            harness.wait_for(lambda: daemon.get("/-/ready")[0] == 200, "ready", 60, 0.001)
            found = daemon.metrics().all("detwatch_true_positives_total")
            self.assertTrue(found == hits, f"ready with {len(found)} of {len(hits)} series, or other values")

    # Who may not.

    def test_a_second_daemon_on_one_store_is_refused_and_the_first_goes_on(self):
        with self.daemon() as daemon:
            text = self.refused()
            self.assertRegex(text, "another detwatch")
            self.assertIn(str(daemon.process.pid), text)
            sender = self.sender(daemon)
            raw.send_frames(sender, 0, 10)
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
                    raw.send_frames(sender, 1000, 1050)
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


if __name__ == "__main__":
    harness.main()
