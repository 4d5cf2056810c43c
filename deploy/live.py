#!/usr/bin/python3
"""Accuracy from a running daemon's /api/v1/summary, for quickstart.sh. Standard library only.

  live.py watch URL [NOTE...]               a table that refreshes until Ctrl-C, with lines of text below it
  live.py compare URL EVAL.json --frames N  waits until N frames are judged, then compares the numbers of window
                                            "total" with `detwatch eval --format json`; exit 1 unless all agree
"""

import argparse
import json
import sys
import time
import urllib.request

STATS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
TOLERANCE = 1e-9  # a scene this small is evaluated exactly, so only the last digits of a sum may differ


def windows(url):
    """(group's labels, window) of everything in the first view."""
    with urllib.request.urlopen(url + "/api/v1/summary", timeout=5) as answer:
        summary = json.load(answer)
    for view in summary["views"][:1]:
        for group in view["groups"]:
            for window in group["windows"]:
                yield group.get("labels", {}), window


def shown(value):
    return "-" if value is None or value == -1 else f"{value:.3f}"


def watch(url, notes):
    columns = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR100")
    on_terminal = sys.stdout.isatty()
    while True:
        lines = [f"{'model':24} {'window':>7} {'frames':>8} " + " ".join(f"{name:>6}" for name in columns)]
        for labels, window in windows(url):
            model = " ".join(str(value) for value in labels.values() if value)
            lines.append(f"{model:24.24} {window['window']:>7} {window.get('frames', 0):8} " +
                         " ".join(f"{shown(window['stats'].get(name)):>6}" for name in columns))
        if len(lines) == 1:
            lines.append("no frame has been judged yet")
        if on_terminal:  # over the table before, to the end of the screen
            print("\x1b[H\x1b[2J", end="")
        print(f"{time.strftime('%H:%M:%S')}   Ctrl-C stops\n\n" + "\n".join(lines + ["", *notes]), flush=True)
        time.sleep(1)


def total_after(url, frames, seconds=30):
    """The window "total" of the only group, once it holds `frames` frames."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        totals = [window for _, window in windows(url) if window["window"] == "total"]
        if totals and totals[0].get("frames", 0) >= frames:
            return totals[0]
        time.sleep(0.2)
    sys.exit(f"fewer than {frames} frames were judged after {seconds} s")


def compare(url, eval_file, frames):
    with open(eval_file, encoding="utf-8") as file:
        expected = json.load(file)["stats"]
    live = total_after(url, frames)["stats"]
    failed = 0
    print(f"{'':6} {'live':>20} {'offline':>20} {'difference':>11}")
    for name in STATS:
        # An area without any ground truth: the API says null, COCO's evaluator -1.
        here = -1.0 if live.get(name) is None else live[name]
        difference = abs(here - expected[name])
        agrees = difference <= TOLERANCE
        failed += not agrees
        print(f"{name:6} {here:20.15f} {expected[name]:20.15f} {difference:11.1e}{'' if agrees else '  differs'}")
    if all(expected[name] == -1 for name in STATS):
        sys.exit("nothing was evaluated")
    print("all twelve agree" if not failed else f"{failed} of {len(STATS)} differ")
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    commands = parser.add_subparsers(dest="command", required=True)
    watching = commands.add_parser("watch")
    watching.add_argument("url")
    watching.add_argument("note", nargs="*", help="a line to show below the table")
    comparing = commands.add_parser("compare")
    comparing.add_argument("url")
    comparing.add_argument("eval_file")
    comparing.add_argument("--frames", type=int, required=True)
    arguments = parser.parse_args()
    if arguments.command == "compare":
        return compare(arguments.url, arguments.eval_file, arguments.frames)
    try:
        watch(arguments.url, arguments.note)
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        return f"{arguments.url} does not answer any more: {error}"


if __name__ == "__main__":
    sys.exit(main())
