#!/usr/bin/python3
"""No count is lost or doubled by kill -9 of the daemon, at any moment. DETWATCH_KILLS: how often (200)."""

import os
import signal
import sys
import time

import disturbed
import harness

KILLS = int(os.environ.get("DETWATCH_KILLS", "200"))


class KillTest(disturbed.DisturbedTest):
    def test_kill_9_of_the_daemon_at_any_moment_changes_no_count(self):
        rate = 50
        simulated = max(20, int(KILLS * 0.35 * rate * disturbed.SLOWNESS))
        daemon = harness.Daemon.on_fixed_ports(config=disturbed.CONFIG, storage=self.store("killed"))
        started = time.monotonic()
        early = 0
        with disturbed.load(daemon.reliable, "gate", "--rate", rate) as site, \
                disturbed.simulate(daemon.reliable, "pairs", simulated, rate) as pairs, \
                disturbed.simulate(daemon.reliable, "late", simulated, rate, "--label-delay", "700ms") as late:
            for _ in range(KILLS):
                if self.dice.random() < 0.2:  # while it starts
                    time.sleep(self.dice.uniform(0, 0.15) * disturbed.SLOWNESS)
                    early += 1
                else:
                    daemon.wait_listening(60)
                    time.sleep(self.dice.uniform(0, 0.6) * disturbed.SLOWNESS)
                self.assertIsNone(daemon.process.poll(), daemon.log())
                daemon.stop(signal.SIGKILL)
                daemon.log_file.close()
                daemon = daemon.again(wait=False)
            daemon.wait_listening(60)
            site.process.send_signal(signal.SIGTERM)
            report = site.report()
            reports = [pairs.report(), late.report()]
        frames = report["frames"]
        print(f"{KILLS} kills ({early} during a start) in {time.monotonic() - started:.0f} s, {frames} frames of the "
              f"site, {simulated} simulated twice, {report['resent']} messages sent again", file=sys.stderr)
        total = 2 * frames + 2 * simulated
        with daemon:
            metrics = self.settled(daemon, total)
        self.assertGreater(report["resent"], KILLS / 2, "the kills were felt")
        self.assertEqual((report["dropped"], report["pending"], report["acknowledged"]), (0, 0, 3 * frames))
        for one in reports:
            self.assertGreater(one["resent"], 0, one)
        quiet = self.quiet_run(lambda to: disturbed.load(to, "gate", "--frames", frames),
                               lambda to: disturbed.simulate(to, "pairs", simulated, 0),
                               lambda to: disturbed.simulate(to, "late", simulated, 0, "--label-delay", "700ms"), frames=total)
        self.check_same(metrics, quiet, total)


if __name__ == "__main__":
    harness.main()
