#!/usr/bin/python3
"""A browser shows the page with the numbers of a running stream, and asks nobody but the daemon."""

import pathlib
import re
import shutil
import struct
import tempfile
import unittest
import zlib

import harness

CHROMIUM = shutil.which("chromium")


def pixels(path):
    """(width, height, bytes of the rows) of an 8-bit RGB or RGBA PNG that is not interlaced."""
    data = path.read_bytes()
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", data[16:29])
    assert (depth, interlace) == (8, 0) and colour in (2, 6)
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IDAT":
            packed += data[at + 8:at + 8 + length]
        at += 12 + length
    rows, size, step = zlib.decompress(packed), width * (3 if colour == 2 else 4) + 1, 3 if colour == 2 else 4
    previous, out = bytearray(size - 1), []
    for y in range(height):
        kind, row = rows[y * size], bytearray(rows[y * size + 1:(y + 1) * size])
        for i in range(size - 1):
            left, up = row[i - step] if i >= step else 0, previous[i]
            corner = previous[i - step] if i >= step else 0
            if kind == 4:
                guess = left + up - corner
                a, b, c = abs(guess - left), abs(guess - up), abs(guess - corner)
                row[i] = (row[i] + (left if a <= b and a <= c else up if b <= c else corner)) & 255
            else:
                row[i] = (row[i] + (0, left, up, (left + up) // 2)[kind]) & 255
        out.append(bytes(row))
        previous = row
    return width, height, [tuple(row[i:i + 3]) for row in out for i in range(0, size - 1, step)]


@unittest.skipUnless(CHROMIUM, "chromium is not installed")
class PageTest(unittest.TestCase):
    def browse(self, *options):
        with tempfile.TemporaryDirectory() as profile:
            return harness.checked(CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                                   f"--user-data-dir={profile}", "--virtual-time-budget=8000", *options, timeout=120)

    def test_the_page_shows_the_stream_and_is_not_blank(self):
        with harness.Daemon() as daemon, tempfile.TemporaryDirectory() as folder:
            harness.checked("simulate", "--rate", "0", "--frames", "300", "--seed", "9", "--model", "shown-on-page", "--to",
                            daemon.reliable)
            daemon.wait_judged(300)
            page = self.browse("--dump-dom", daemon.web + "/")
            self.assertIn("shown-on-page", page)
            picture = pathlib.Path(folder) / "page.png"
            self.browse("--window-size=600,400", f"--screenshot={picture}", daemon.web + "/")
            width, height, points = pixels(picture)
            self.assertEqual((width, height), (600, 400))
            self.assertGreater(len(set(points)), 16, "a blank page has one colour")

    def test_everything_the_page_loads_comes_from_the_daemon(self):
        with harness.Daemon() as daemon:
            page = daemon.get("/")[2].decode("utf-8")
            loaded = re.findall(r"""(?:src|href|action)\s*=\s*["'](?:https?:)?//([^"'/]+)""", page)
            self.assertEqual(loaded, [])


if __name__ == "__main__":
    harness.main()
