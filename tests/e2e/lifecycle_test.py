#!/usr/bin/python3
"""Starting, reloading, stopping and crashing: exit codes, signals, HTTP, and what a publisher sees of them."""

import gzip
import pathlib
import signal
import socket
import tempfile
import unittest

import harness
import raw


class LifecycleTest(unittest.TestCase):
    def config(self, text):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name) / "detwatch.yml"
        path.write_text(text, encoding="utf-8")
        return path

    def test_http_answers_as_a_scraper_and_an_orchestrator_expect(self):
        with harness.Daemon() as daemon:
            self.assertEqual(daemon.get("/-/healthy")[0], 200)
            self.assertEqual(daemon.get("/-/ready")[0], 200)
            status, headers, body = daemon.get("/metrics")
            self.assertEqual(status, 200)
            self.assertIn("text/plain; version=0.0.4", headers["Content-Type"])
            self.assertIn(b"# TYPE detwatch_build_info gauge", body)
            status, headers, nothing = daemon.get("/metrics", method="HEAD")
            self.assertEqual((status, nothing), (200, b""))
            _, headers, packed = daemon.get("/metrics", headers={"Accept-Encoding": "gzip"})
            self.assertEqual(headers["Content-Encoding"], "gzip")
            self.assertIn(b"# TYPE detwatch_build_info gauge", gzip.decompress(packed))
            self.assertEqual(daemon.get("/nowhere")[0], 404)
            self.assertEqual(daemon.get("/metrics", method="POST")[0], 405)
            self.assertIn("html", daemon.get("/")[1]["Content-Type"])
            views = harness.wait_for(lambda: daemon.summary()["views"], "the first snapshot")
            self.assertEqual((views[0]["name"], views[0]["groups"]), ("default", []))

    def test_sigterm_counts_and_acknowledges_what_has_arrived(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            with harness.Daemon() as daemon:
                sender = raw.Sender(daemon.reliable, "last words")
                raw.announce(sender)
                for number in range(500):
                    sender.send(raw.predictions(f"frame-{number}"))
                    sender.send(raw.labels(f"frame-{number}"))
                daemon.wait_judged(1)
                self.assertEqual(daemon.stop(how), 0, daemon.log())
                sender.wait_acknowledged(10)
                self.assertIn("stopped", daemon.log())
                sender.close()

    def test_an_earlier_run_of_a_name_is_told_that_a_later_one_took_over(self):
        """The answer once went to the later run, and the earlier one tried again for ever."""
        with harness.Daemon() as daemon:
            earlier = raw.Sender(daemon.reliable, "one name")
            raw.announce(earlier)
            earlier.wait_acknowledged()
            later = raw.Sender(daemon.reliable, "one name")
            raw.announce(later)
            later.wait_acknowledged()
            earlier.send(raw.predictions("too late"))
            self.assertTrue(earlier.socket.poll(10000), "no answer")
            reply = raw.pb.Reply.FromString(earlier.socket.recv_multipart()[-1])
            self.assertTrue(reply.stale_epoch)
            self.assertEqual(reply.epoch, earlier.epoch)
            later.send(raw.predictions("in time"))
            later.wait_acknowledged()
            earlier.close()
            later.close()

    def test_a_stop_without_any_traffic_is_quick(self):
        with harness.Daemon() as daemon:
            self.assertEqual(daemon.stop(seconds=5), 0)

    def test_sighup_takes_a_good_file_and_keeps_the_old_one_for_a_bad_file(self):
        path = self.config("log:\n  level: info\n")
        with harness.Daemon("--config.file", path) as daemon:
            def reloaded(value):
                return lambda: daemon.metrics().get("detwatch_config_last_reload_successful") == value
            self.assertTrue(reloaded(1)())
            path.write_text("log:\n  level: loud\nno_such_key: 1\n", encoding="utf-8")
            daemon.process.send_signal(signal.SIGHUP)
            harness.wait_for(reloaded(0), "the bad file is refused")
            self.assertRegex(daemon.log(), r":2\b.*loud")
            self.assertRegex(daemon.log(), r":3\b.*no_such_key")
            path.write_text("log:\n  level: debug\n", encoding="utf-8")
            daemon.process.send_signal(signal.SIGHUP)
            harness.wait_for(reloaded(1), "the good file is taken")
            # What cannot change while running is refused too, by name.
            path.write_text("evaluation:\n  operating_points: [0.3]\n", encoding="utf-8")
            daemon.process.send_signal(signal.SIGHUP)
            harness.wait_for(reloaded(0), "another operating point needs a restart")
            self.assertEqual(daemon.get("/-/ready")[0], 200)
            self.assertEqual(daemon.stop(), 0)

    def test_a_reload_is_told_to_publishers_and_decides_from_then_on(self):
        def class_list(name):
            entries = [(1, name)]
            return raw.pb.Payload(class_list=raw.pb.ClassList(
                hash=raw.class_list_hash(entries), entries=[raw.pb.ClassEntry(id=1, name=name)]))

        path = self.config("limits: {class_lists: 1, classes: 20}\n")
        with harness.Daemon("--config.file", path) as daemon:
            sender = raw.Sender(daemon.reliable, "many lists")
            limits = sender.ask().limits
            self.assertEqual((limits.class_lists, limits.class_names, limits.classes_per_list), (1, 20, 20))
            sender.send(class_list("car"))
            sender.send(class_list("dog"))
            sender.wait_acknowledged()
            self.assertEqual(sender.rejected, {"too_many_classes": 1})
            path.write_text("limits: {class_lists: 2, classes: 30}\n", encoding="utf-8")
            daemon.process.send_signal(signal.SIGHUP)
            harness.wait_for(lambda: sender.ask().limits.class_lists == 2, "the new limit is told")
            limits = sender.reply.limits
            self.assertEqual((limits.class_names, limits.classes_per_list), (30, 30))
            sender.send(class_list("dog"))
            sender.send(class_list("cat"))
            sender.wait_acknowledged()
            self.assertEqual(sender.rejected, {"too_many_classes": 2})
            sender.close()

    def test_counts_survive_a_reload(self):
        path = self.config("log:\n  level: info\n")
        with harness.Daemon("--config.file", path) as daemon:
            sender = raw.Sender(daemon.reliable, "steady")
            raw.announce(sender)
            sender.send(raw.predictions("one"))
            sender.send(raw.labels("one"))
            daemon.wait_judged(1)
            path.write_text("log:\n  level: warn\n", encoding="utf-8")
            daemon.process.send_signal(signal.SIGHUP)
            sender.send(raw.predictions("two"))
            sender.send(raw.labels("two"))
            metrics = daemon.wait_judged(2)
            self.assertEqual(metrics.sum("detwatch_true_positives_total", iou="0.50"), 2)
            sender.close()

    def test_after_kill_9_and_a_restart_on_the_same_ports_publishers_go_on(self):
        import detwatch
        with harness.Daemon() as daemon:
            with detwatch.Publisher(daemon.reliable, model="m", class_names=["car"], on_full="block") as publisher:
                for number in range(50):
                    publisher.predictions(number, [[0, 0, 10, 10]], [0.9], [0])
                    publisher.labels(number, [[0, 0, 10, 10]], [0])
                self.assertTrue(publisher.flush(30))
                self.assertEqual(daemon.stop(signal.SIGKILL), -signal.SIGKILL)
                for number in range(50, 80):
                    publisher.predictions(number, [[0, 0, 10, 10]], [0.9], [0])
                    publisher.labels(number, [[0, 0, 10, 10]], [0])
                self.assertFalse(publisher.flush(0.2), "nobody is there")
                with harness.Daemon(web=daemon.web.removeprefix("http://"), subscribe=daemon.subscribe,
                                    reliable=daemon.reliable) as second:
                    self.assertTrue(publisher.flush(30), "the new run acknowledges")
                    metrics = second.wait_judged(30)
                    # Without a store the first 50 died with the first run; none of the rest is lost or doubled.
                    self.assertEqual(metrics.sum("detwatch_frames_total"), 30)
                    self.assertEqual(metrics.sum("detwatch_messages_lost_total"), 0)
                    self.assertEqual(publisher.stats.dropped, 0)

    def test_a_port_in_use_is_exit_code_1_and_names_the_endpoint(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            free = ["--web.listen-address", "127.0.0.1:0", "--ingest.subscribe", "tcp://127.0.0.1:0",
                    "--ingest.reliable", "tcp://127.0.0.1:0"]
            for flag, value in (("--web.listen-address", f"127.0.0.1:{port}"),
                                ("--ingest.subscribe", f"tcp://127.0.0.1:{port}"),
                                ("--ingest.reliable", f"tcp://127.0.0.1:{port}")):
                flags = list(free)
                flags[flags.index(flag) + 1] = value
                done = harness.run("serve", *flags, timeout=20)
                self.assertEqual(done.returncode, 1, flag)
                self.assertIn(str(port), done.stderr)

    def test_a_bad_configuration_is_exit_code_2_with_every_problem_and_its_line(self):
        path = self.config("web:\n  listen_address: 7\n  max_connections: lots\nevaluation:\n"
                           "  iou_thresholds: [0.5, 1.5]\nsurprise: true\n")
        for command in (("serve", "--config.file", path), ("check-config", path)):
            done = harness.run(*command, timeout=20)
            self.assertEqual(done.returncode, 2, command)
            for line in (3, 5, 6):
                self.assertRegex(done.stdout + done.stderr, rf"detwatch\.yml:{line}\b", command)

    def test_check_config_takes_the_files_that_ship_and_estimates_their_cost(self):
        for name in ("deploy/detwatch.yml", "deploy/docker/detwatch.yml"):
            output = harness.checked("check-config", harness.ROOT / name)
            self.assertRegex(output, r"(?i)series")
            self.assertRegex(output, r"(?i)mi?b|memory")

    def test_flags_that_do_not_exist_are_exit_code_2_and_help_and_version_are_0(self):
        self.assertEqual(harness.run("serve", "--no-such-flag").returncode, 2)
        self.assertEqual(harness.run("no-such-command").returncode, 2)
        for arguments in (("--help",), ("serve", "--help"), ("--version",)):
            done = harness.run(str(harness.BINARY), *arguments)
            self.assertEqual(done.returncode, 0)
            self.assertIn("detwatch", done.stdout)

    def test_files_that_are_not_there_are_exit_code_1_for_the_tools(self):
        done = harness.run("eval", "--ground-truth", "/nonexistent/gt.json", "--predictions", "/nonexistent/dt.json")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nonexistent/gt.json", done.stderr)

    def test_json_logs_are_json_on_every_line(self):
        import json
        with harness.Process([harness.BINARY, "serve", "--log.format", "json", "--web.listen-address", "127.0.0.1:0",
                              "--ingest.subscribe", "tcp://127.0.0.1:0", "--ingest.reliable", "tcp://127.0.0.1:0"]) as p:
            p.wait_log('"listening"')
            p.stop()
            lines = [json.loads(line) for line in p.log().splitlines()]
        listening = next(line for line in lines if line["message"] == "listening")
        self.assertTrue({"time", "level", "web", "subscribe", "reliable"} <= set(listening))


if __name__ == "__main__":
    harness.main()
