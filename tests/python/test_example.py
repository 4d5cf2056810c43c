"""The examples, run as a user would."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from fake_daemon import Books, FakeDaemon, until

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "lib/python/examples"


class ExampleTest(unittest.TestCase):
    def run_example(self, name, *arguments):
        done = subprocess.run([sys.executable, str(EXAMPLES / name), *arguments], capture_output=True, text=True,
                              timeout=60, env=os.environ, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_the_example_publishes_five_frames_with_labels(self):
        with FakeDaemon() as daemon:
            self.assertEqual(self.run_example("publish.py", daemon.endpoint),
                             "sent 10, acknowledged 10, rejected none\n")
            self.assertEqual([message.frame.frame_id for message in daemon.items("labels")],
                             [f"frame-{i}" for i in range(5)])
            self.assertEqual(len(daemon.items("predictions")), 5)

    def test_a_loop_that_was_killed_goes_on_after_its_last_acknowledged_frame(self):
        books = Books()
        with tempfile.TemporaryDirectory() as folder, FakeDaemon(books=books) as daemon:
            state = pathlib.Path(folder) / "last_frame.txt"
            daemon.durable_up_to = 50
            first = subprocess.Popen([sys.executable, str(EXAMPLES / "resume.py"), daemon.endpoint, str(state)],
                                     env=os.environ)
            try:
                self.assertTrue(until(lambda: len(daemon.frame_ids()) == 200 and state.exists()
                                      and int(state.read_text()) >= 40))
            finally:
                first.kill()
                first.wait()
            last = int(state.read_text())
            self.assertLess(last, 50)  # 50 messages are durable; some are the publisher's own announcements
            del daemon.frames[:]
            daemon.durable_up_to = 1 << 62
            self.assertEqual(self.run_example("resume.py", daemon.endpoint, str(state)),
                             f"frames {last + 1} to 199 are on the daemon's disk\n")
            self.assertEqual(daemon.frame_ids(), [f"frame-{i}" for i in range(last + 1, 200)])
            self.assertEqual(int(state.read_text()), 199)


if __name__ == "__main__":
    unittest.main()
