#!/usr/bin/python3
"""The real Prometheus scrapes the daemon: promtool finds nothing, queries answer what the reference evaluator
says, every query of the dashboard returns data, and the rules evaluate."""

import json
import math
import subprocess
import unittest

import harness  # first: it puts tests/lint on the path
import dashboard
import reference


class PrometheusTest(unittest.TestCase):
    def test_promtool_finds_nothing_in_metrics_before_and_after_data(self):
        with harness.Daemon() as daemon:
            self.promtool(daemon.metrics().text)
            harness.checked("simulate", "--rate", "0", "--frames", "200", "--seed", "3", "--to", daemon.reliable)
            self.promtool(daemon.wait_judged(200).text)

    def promtool(self, text):
        done = subprocess.run([str(harness.PROMETHEUS / "promtool"), "check", "metrics"], input=text,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_queries_give_the_reference_numbers(self):
        data = reference.DataSet(harness.shared("coco_fake100"))
        with harness.Daemon() as daemon, harness.PrometheusServer(daemon) as prometheus:
            harness.checked("replay", "--ground-truth", data.ground_truth, "--predictions", data.predictions,
                            "--to", daemon.reliable)
            metrics = daemon.wait_judged(len(data.images))
            harness.wait_for(lambda: self.value(prometheus, 'detwatch_window_frames{window="total"}') == 100,
                             "Prometheus has scraped all frames")
            for name, (family, labels) in reference.TWELVE.items():
                selector = ", ".join(f'{key}="{value}"' for key, value in labels.items())
                self.assertAlmostEqual(self.value(prometheus, f'{family}{{window="total", {selector}}}'),
                                       data.expected["stats"][name], delta=reference.EXACT, msg=name)
            person = next(key for key, name in data.names.items() if name == "person")
            ap = self.value(prometheus, 'detwatch_average_precision{window="total", class="person", iou="0.50"}')
            self.assertAlmostEqual(ap, data.expected["per_class"][str(person)]["ap"]["all"][0], delta=reference.EXACT)
            # Precision, recall and F1 agree with the counters they are made of.
            counts = {name: self.value(prometheus, f'sum(detwatch_{name}_total{{iou="0.50"}})')
                      for name in ("true_positives", "false_positives", "false_negatives")}
            tp, fp, fn = counts.values()
            self.assertGreater(min(tp, fp, fn), 0)
            for family, value in (("precision", tp / (tp + fp)), ("recall", tp / (tp + fn)),
                                  ("f1_score", 2 * tp / (2 * tp + fp + fn))):
                answer = self.value(prometheus, f'detwatch_micro_{family}{{window="total", iou="0.50"}}')
                self.assertAlmostEqual(answer, value, delta=reference.EXACT, msg=family)
                self.assertIsNotNone(metrics.get(f"detwatch_{family}", window="total", iou="0.50", **{"class": "person"}))

    def value(self, prometheus, expression):
        rows = prometheus.query(expression)
        self.assertLessEqual(len(rows), 1, f"{expression} has {len(rows)} answers")
        return rows[0][1] if rows else None

    def test_every_query_of_the_dashboard_returns_data_and_the_rules_evaluate(self):
        board = json.loads((harness.ROOT / "deploy/grafana/dashboards/detwatch.json").read_text(encoding="utf-8"))
        with harness.Daemon() as daemon, harness.PrometheusServer(daemon) as prometheus:
            simulate = [harness.BINARY, "simulate", "--seed", "5", "--rate", "50", "--frames", "100000",
                        "--label-delay", "200ms", "--to", daemon.reliable]
            with harness.Process(simulate) as stream:
                # Counters have to move during a few scrapes before a rate means anything.
                harness.wait_for(lambda: prometheus.query(
                    'min_over_time(detwatch_frames_judged_total[5s] offset 5s) > 100'), "ten seconds of stream", 60)
                for title, reference_id, expression in dashboard.queries(board):
                    with self.subTest(panel=title, query=reference_id):
                        rows = prometheus.query(dashboard.substituted(expression, {"__rate_interval": "5s"}))
                        self.assertTrue(rows, f"{expression} returns nothing")
                        self.assertTrue(any(math.isfinite(value) for _, value in rows), f"{expression}: {rows}")
                self.assertIsNone(stream.process.poll(), stream.log())
            _, _, body = harness.fetch(prometheus.web + "/api/v1/rules")
            rules = [rule for group in json.loads(body)["data"]["groups"] for rule in group["rules"]]
            self.assertGreater(len(rules), 10)
            self.assertEqual([rule["name"] for rule in rules if rule["health"] == "err"], [])
            self.assertEqual([rule["name"] for rule in rules if rule.get("state") == "firing"], [])
            # Variables of the dashboard are label_values() of series that exist.
            for variable in board["templating"]["list"]:
                if variable["type"] == "query":
                    series = variable["definition"].removeprefix("label_values(").rsplit(",", 1)[0]
                    self.assertTrue(prometheus.query(dashboard.substituted(series, {})), variable["name"])

    def test_a_daemon_that_stops_is_seen_as_down(self):
        with harness.Daemon() as daemon, harness.PrometheusServer(daemon) as prometheus:
            harness.wait_for(lambda: self.value(prometheus, 'up{job="detwatch"}') == 1, "up")
            daemon.stop()
            harness.wait_for(lambda: prometheus.query('ALERTS{alertname="DetwatchDown", alertstate="pending"}'),
                             "DetwatchDown is pending")


if __name__ == "__main__":
    harness.main()
