#!/usr/bin/python3
"""What a frame costs the real daemon over loopback TCP: with a store, without one, and without acknowledgements.

  end_to_end.py [--build DIR] [--frames N] [--rounds N] [--separate] [--folder DIR]

Each round runs every way once, one after the other, so that what else the machine does falls on all of them; ratios
are those of one round. Ways:

  receive-*    publish_load's bare loop: the daemon's sockets and decoder, nothing else
  subscribe    fire and forget (a PUB that waits instead of dropping)
  reliable     acknowledged, no store
  no-fsync     acknowledged, with a store, storage.fsync off
  store        acknowledged when durable

Frames a second are those judged, from the first message until all were acknowledged (subscribe: sent). Processor
seconds are the daemon's own, from process_cpu_seconds_total. A publisher with its own thread and libzmq's share the
processors with the daemon's three threads.
"""

import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))

WAYS = ("receive-subscribe", "receive-reliable", "subscribe", "reliable", "no-fsync", "store")


def quantile(metrics, name, wanted, before):
    """An upper bound of the quantile of what a histogram saw since `before`: an edge of a bucket, in seconds."""
    buckets = {}
    for labels, value in metrics.all(name + "_bucket").items():
        buckets[float(dict(labels)["le"])] = value - before.all(name + "_bucket").get(labels, 0)
    total = max(buckets.values(), default=0)
    for edge in sorted(buckets):
        if total and buckets[edge] >= wanted * total:
            return edge
    return None


def publish(options, way, endpoint):
    command = [str(options.publisher), way, endpoint, "--frames", str(options.frames)]
    command += ["--separate"] if options.separate else []
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=900).stdout)


def run_bare(options, way):
    command = [str(options.publisher), "receive", "--frames", str(options.frames)]
    command += ["--separate"] if options.separate else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as receiver:
        line = re.search(r"subscribe=(\S+) reliable=(\S+)", receiver.stdout.readline())
        sent = publish(options, way, line[1 if way == "subscribe" else 2])
        received = json.loads(receiver.stdout.readline())
    return {"rate": options.frames / received["durable_seconds"], "cpu": received["cpu_seconds"],
            "publisher": sent["cpu_seconds"]}


def run_daemon(options, way, harness):
    with tempfile.TemporaryDirectory(prefix="detwatch-bench-", dir=options.folder) as folder:
        config = pathlib.Path(folder, "detwatch.yaml")
        text = "join:\n  retention: 7d\n"
        if way in ("store", "no-fsync"):
            text += f"storage:\n  path: {folder}/store\n  fsync: {'true' if way == 'store' else 'false'}\n"
        config.write_text(text, encoding="utf-8")
        with harness.Daemon("--config.file", config) as daemon:
            before = daemon.metrics()
            subscribe = way == "subscribe"
            sent = publish(options, "subscribe" if subscribe else "reliable",
                           daemon.subscribe if subscribe else daemon.reliable)
            judged = 0
            deadline = time.monotonic() + 60
            while judged < options.frames and time.monotonic() < deadline:
                time.sleep(1)
                after = daemon.metrics()
                judged = after.sum("detwatch_window_frames", view="default", window="total")
            result = {"rate": judged / sent["durable_seconds"], "judged": judged, "publisher": sent["cpu_seconds"],
                      "cpu": after.get("process_cpu_seconds_total") - before.get("process_cpu_seconds_total"),
                      "rss": daemon.resident_bytes() / 2**20}
            result["handover"] = [quantile(after, "detwatch_handover_seconds", q, before) for q in (0.5, 0.999, 1)]
            result["cuts"] = after.sum("detwatch_handover_seconds_count") - before.sum("detwatch_handover_seconds_count")
            result["checkpoint"] = after.get("detwatch_checkpoint_duration_seconds")
            if way in ("store", "no-fsync"):
                result["disk"] = sum(file.stat().st_size for file in pathlib.Path(folder, "store").iterdir()) / 2**20
            started = time.monotonic()
            daemon.stop()
            result["stop"] = time.monotonic() - started
        if way in ("store", "no-fsync"):
            started = time.monotonic()
            with harness.Daemon("--config.file", config):
                result["restart"] = time.monotonic() - started
        return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--frames", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--separate", action="store_true", help="predictions and labels in two messages")
    parser.add_argument("--folder", help="where the stores go; default: the folder for temporary files")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    options = parser.parse_args()
    options.publisher = options.build / "tests/bench/publish_load"
    import harness  # only here: --help works without a build
    harness.BINARY = options.build / "detwatch"

    results = {way: [] for way in options.ways}
    for round_number in range(options.rounds):
        for way in options.ways:
            if way.startswith("receive-"):
                result = run_bare(options, way.removeprefix("receive-"))
            else:
                result = run_daemon(options, way, harness)
            results[way].append(result)
            print(f"round {round_number + 1} {way:18} {result['rate']:9.0f} frames/s  "
                  f"{result['cpu'] / options.frames * 1e6:6.2f} us cpu/frame  publisher "
                  f"{result['publisher'] / options.frames * 1e6:5.2f} us", end="")
            if any(result.get("handover", ())):
                print(f"  {result['cuts']:.0f} cuts, hand-over <= " +
                      "/".join(f"{v * 1e3:g}" for v in result["handover"]) + " ms", end="")
            if result.get("checkpoint"):
                print(f"  last checkpoint {result['checkpoint'] * 1e3:.1f} ms", end="")
            for name, unit in (("rss", "MiB"), ("disk", "MiB"), ("stop", "s"), ("restart", "s")):
                if name in result:
                    print(f"  {name} {result[name]:.1f} {unit}", end="")
            if result.get("judged", options.frames) != options.frames:
                print(f"  ONLY {result['judged']:.0f} JUDGED", end="")
            print(flush=True)

    print("\nmedians; hand-over above is an upper bound of p50/p99.9/max")
    for way, runs in results.items():
        print(f"{way:18} {statistics.median(r['rate'] for r in runs):9.0f} frames/s  "
              f"{statistics.median(r['cpu'] for r in runs) / options.frames * 1e6:6.2f} us cpu/frame")
    for one, other in (("reliable", "subscribe"), ("store", "subscribe"), ("store", "reliable"), ("store", "no-fsync"),
                       ("subscribe", "receive-subscribe"), ("reliable", "receive-reliable"),
                       ("store", "receive-reliable")):
        if results.get(one) and results.get(other):
            ratios = [a["rate"] / b["rate"] for a, b in zip(results[one], results[other])]
            costs = [a["cpu"] / b["cpu"] for a, b in zip(results[one], results[other])]
            print(f"{one + ' / ' + other:38} rate {statistics.median(ratios):.2f} "
                  f"({min(ratios):.2f}-{max(ratios):.2f})  cpu {statistics.median(costs):.2f} "
                  f"({min(costs):.2f}-{max(costs):.2f})")


if __name__ == "__main__":
    main()
