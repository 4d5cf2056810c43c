#!/usr/bin/env bash
# The Prometheus configuration and rules are valid, tested, and complete: every alert says what it means and what
# to do, waits before it fires, and occurs in the tests.
#   rules.sh PROMTOOL
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../deploy/prometheus"
promtool=$1
"$promtool" check config prometheus.yml
"$promtool" check rules rules/*.yml
"$promtool" test rules tests/*.yml
/usr/bin/python3 - rules/*.yml <<'PY'
import pathlib, sys, yaml
tests = "".join(p.read_text() for p in pathlib.Path("tests").glob("*.yml"))
problems = []
for name in sys.argv[1:]:
    for group in yaml.safe_load(open(name))["groups"]:
        for rule in group["rules"]:
            alert = rule.get("alert")
            if alert is None:
                continue
            problems += [f"{alert}: no {key}" for key in ("summary", "description", "runbook") if not rule.get("annotations", {}).get(key)]
            problems += [f"{alert}: no `for`"] * ("for" not in rule) + [f"{alert}: no severity"] * ("severity" not in rule.get("labels", {}))
            problems += [f"{alert}: no test"] * (alert not in tests)
            problems += [f"{alert}: alerts on window=\"total\""] * ('window="total"' in rule["expr"])
print("\n".join(problems) or "every alert is explained and tested")
sys.exit(bool(problems))
PY
