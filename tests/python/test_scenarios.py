"""tests/delivery/scenarios/window.json through the window of the Python client; the README beside it says what a
step is. tests/delivery/scenarios_test.cc plays the same file."""
import json
import pathlib
import unittest

from detwatch._window import Ack, SendWindow

SCENARIOS = pathlib.Path(__file__).resolve().parents[1] / "delivery" / "scenarios" / "window.json"


class Player:
    def __init__(self, window_bytes):
        self.window = SendWindow(window_bytes)
        self.sent = []  # in this step
        self.waits = False

    def push(self, bytes, count):  # noqa: A002, named as in the file
        for _ in range(count):
            self.window.push(b"x" * bytes)

    def offer(self, bytes, count, on_full):  # noqa: A002
        if on_full not in ("block", "drop_oldest"):
            raise ValueError(on_full)
        self.waits = False
        for _ in range(count):
            while not self.window.has_room(bytes):
                if on_full == "block":
                    self.waits = True
                    return
                self.window.drop_oldest()
            self.window.push(b"x" * bytes)

    def send(self):
        while (item := self.window.next_to_send()) is not None:
            self.sent.append(item.sequence)
            self.window.mark_sent()

    def drop_oldest(self, count):
        for _ in range(count):
            self.window.drop_oldest()

    def reply(self, at, received, durable, credit=1000, expected=0, store="store", boot="boot"):
        self.window.on_reply(Ack(store, boot, received, durable, credit, expected), 1000.0 + at)

    def reconnected(self):
        self.window.reconnected()

    def what(self, name, value):
        window = self.window
        if name == "room":
            return {size: window.has_room(int(size)) for size in value}
        return {"sent": self.sent, "waits": self.waits, "items": window.items, "bytes": window.bytes,
                "oldest_held": window.oldest_held, "last_sequence": window.last_sequence,
                "dropped": window.dropped, "resent": window.resent, "store_id": window.store_id}[name]


EVENTS = ("push", "offer", "send", "drop_oldest", "reply", "reconnected")


class ScenariosTest(unittest.TestCase):
    def play(self, player, step):
        arguments = dict(step)
        event, expected = arguments.pop("event"), arguments.pop("expect", {})
        self.assertIn(event, EVENTS)
        self.assertTrue(event != "send" or "sent" in expected, "a send says what went out")
        player.sent = []
        getattr(player, event)(**arguments)
        self.assertEqual({name: player.what(name, value) for name, value in expected.items()}, expected, step)

    def test_the_window_passes_every_scenario(self):
        scenarios = json.loads(SCENARIOS.read_text(encoding="utf-8"))
        self.assertGreaterEqual(len(scenarios), 30)
        self.assertEqual(len({scenario["name"] for scenario in scenarios}), len(scenarios))
        for scenario in scenarios:
            self.assertLessEqual(scenario.keys(), {"name", "why", "window_bytes", "steps"})
            with self.subTest(scenario["name"]):
                player = Player(scenario["window_bytes"])
                for step in scenario["steps"]:
                    self.play(player, step)


if __name__ == "__main__":
    unittest.main()
