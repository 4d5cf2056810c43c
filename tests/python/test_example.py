"""The example that the README shows, run as a user would."""
import os
import pathlib
import subprocess
import sys
import unittest

from fake_daemon import FakeDaemon

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "lib/python/examples/publish.py"


class ExampleTest(unittest.TestCase):
    def test_the_example_publishes_five_frames_with_labels(self):
        with FakeDaemon() as daemon:
            done = subprocess.run([sys.executable, str(EXAMPLE), daemon.endpoint], capture_output=True, text=True,
                                  timeout=60, env=os.environ, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(done.stdout, "sent 10, acknowledged 10, rejected none\n")
            self.assertEqual([message.frame.frame_id for message in daemon.items("labels")],
                             [f"frame-{i}" for i in range(5)])
            self.assertEqual(len(daemon.items("predictions")), 5)


if __name__ == "__main__":
    unittest.main()
