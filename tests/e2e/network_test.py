#!/usr/bin/python3
"""A network that fails in every way a TCP connection can fail changes no count."""

import signal
import sys
import time

import disturbed
import harness
import proxy


class NetworkTest(disturbed.DisturbedTest):
    def test_a_network_that_fails_in_every_way_changes_no_count(self):
        daemon = harness.Daemon.on_fixed_ports(config=disturbed.CONFIG, storage=self.store("network"))
        port = int(daemon.reliable.rsplit(":", 1)[1])
        with proxy.Proxy("127.0.0.1", port, disturbed.SEED) as network, \
                disturbed.load(network.endpoint, "gate", "--rate", 150, "--silence", 1.2) as site:
            end = time.monotonic() + 35
            enough = harness.wait_for(
                lambda: time.monotonic() > end or all(network.seen[kind] > 2 for kind in proxy.KINDS), "faults", 60)
            self.assertTrue(enough)
            daemon.stop(signal.SIGKILL)  # and the daemon too
            daemon = daemon.again()
            time.sleep(2)
            site.process.send_signal(signal.SIGTERM)
            time.sleep(2)
            network.heal()
            report = site.report()
            print(dict(network.seen), report, file=sys.stderr)
            for kind in proxy.KINDS:
                self.assertGreater(network.seen[kind], 0, kind)
        frames = 2 * report["frames"]
        with daemon:
            metrics = self.settled(daemon, frames)
        self.assertGreater(report["resent"], 0)
        self.assertGreater(metrics.sum("detwatch_messages_duplicate_total") + report["resent"], 0)
        quiet = self.quiet_run(lambda to: disturbed.load(to, "gate", "--frames", report["frames"]), frames=frames)
        self.check_same(metrics, quiet, frames)


if __name__ == "__main__":
    harness.main()
