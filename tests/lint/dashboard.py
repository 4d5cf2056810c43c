#!/usr/bin/python3
"""Checks the habits of a provisioned Grafana dashboard, and hands out its queries to the end-to-end test.

  dashboard.py FILE...            prints every problem, exit 1 if there is one
  dashboard.py --queries FILE...  prints panel, reference and query, one per line

The habits: one data source variable used by everything, job and instance as multi-select variables in every
query on our own metrics, $__rate_interval as the only range of a rate, title, description and unit on each
panel, unique ids, no panel on top of another, not editable.
"""

import argparse
import json
import re
import sys

VARIABLES = ("job", "instance", "view", "model", "version", "window")
RANGE_FUNCTIONS = re.compile(r"\b(?:rate|irate|increase|delta|deriv)\s*\(")
SELECTOR = re.compile(r"(detwatch_[a-z0-9_]+)(\{[^}]*\})?")


def panels(dashboard):
    """Every panel that shows something, those of collapsed rows included."""
    for panel in dashboard.get("panels", []):
        if panel.get("type") == "row":
            yield from panel.get("panels", [])
        else:
            yield panel


def queries(dashboard):
    """(panel title, reference, expression) of every query, as written."""
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            yield panel.get("title", ""), target.get("refId", ""), target.get("expr", "")


def substituted(expression, values):
    """The query with its variables replaced as Grafana would; `values` adds to or overrides the defaults."""
    defaults = {"job": ".+", "instance": ".+", "model": ".+", "version": ".*", "view": "default", "window": "total",
                "__rate_interval": "1m", "__interval": "15s"}
    defaults.update(values)
    for name in sorted(defaults, key=len, reverse=True):
        expression = expression.replace("${%s}" % name, defaults[name]).replace("$" + name, defaults[name])
    left = re.search(r"\$\w+", expression)
    if left:
        raise ValueError(f"{left.group(0)} is not a known variable")
    return expression


def _panel_problems(panel):
    for key in ("title", "description"):
        if not panel.get(key, "").strip():
            yield f"no {key}"
    if not panel.get("fieldConfig", {}).get("defaults", {}).get("unit"):
        yield "no unit"
    if panel.get("datasource", {}).get("uid") != "${datasource}":
        yield "its data source is not the variable"
    if not panel.get("targets"):
        yield "no query"
    references = [target.get("refId") for target in panel.get("targets", [])]
    if len(set(references)) != len(references):
        yield "a refId is used twice"


def _query_problems(target):
    expression = target.get("expr", "")
    if target.get("datasource", {}).get("uid") != "${datasource}":
        yield "its data source is not the variable"
    if not target.get("legendFormat"):
        yield "no legend"
    for metric, selector in SELECTOR.findall(expression):
        for name in ("job", "instance"):
            if f'{name}=~"${name}"' not in selector.replace(" ", ""):
                yield f"{metric} does not select {name}"
        if "window" in selector and 'window="$window"' not in selector.replace(" ", ""):
            yield f"{metric} does not use the window variable"
    ranges = re.findall(r"\[([^\]]*)\]", expression)
    if RANGE_FUNCTIONS.search(expression) and set(ranges) != {"$__rate_interval"}:
        yield "a rate over something else than $__rate_interval"
    try:
        substituted(expression, {})
    except ValueError as error:
        yield str(error)


def _overlaps(items):
    cells = {}
    for panel in items:
        position = panel.get("gridPos", {})
        for x in range(position.get("x", 0), position.get("x", 0) + position.get("w", 0)):
            for y in range(position.get("y", 0), position.get("y", 0) + position.get("h", 0)):
                if x >= 24:
                    yield f'panel "{panel.get("title")}" ends beyond column 24'
                    return
                if (x, y) in cells:
                    yield f'panel "{panel.get("title")}" lies on "{cells[(x, y)]}"'
                    return
                cells[(x, y)] = panel.get("title")


def problems(dashboard):
    """Every broken habit, as a sentence."""
    for key in ("title", "description", "uid"):
        if not dashboard.get(key):
            yield f"the dashboard has no {key}"
    if dashboard.get("editable") is not False:
        yield "the dashboard is editable"
    if "__inputs" in dashboard:
        yield "__inputs are for imports: provisioning does not resolve them"
    if dashboard.get("id") is not None:
        yield "the dashboard has the id of some database"

    variables = {v.get("name"): v for v in dashboard.get("templating", {}).get("list", [])}
    sources = [v["name"] for v in variables.values() if v.get("type") == "datasource"]
    if sources != ["datasource"]:
        yield f"data source variables are {sources}, not exactly one called datasource"
    for name in VARIABLES:
        if name not in variables:
            yield f"no variable {name}"
        elif variables[name].get("datasource", {}).get("uid") != "${datasource}":
            yield f"variable {name} does not use the data source variable"
        elif name in ("job", "instance") and not (variables[name].get("multi") and variables[name].get("includeAll")):
            yield f"variable {name} is not multi-select with All"

    ids = [p.get("id") for p in dashboard.get("panels", [])] + [
        q.get("id") for p in dashboard.get("panels", []) for q in p.get("panels", [])]
    for repeated in sorted({i for i in ids if ids.count(i) > 1}, key=str):
        yield f"panel id {repeated} is used twice"
    yield from _overlaps(dashboard.get("panels", []))
    for panel in panels(dashboard):
        where = f'panel "{panel.get("title", panel.get("id"))}"'
        for problem in _panel_problems(panel):
            yield f"{where}: {problem}"
        for target in panel.get("targets", []):
            for problem in _query_problems(target):
                yield f'{where}, query {target.get("refId")}: {problem}'


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--queries", action="store_true", help="print the queries instead of checking")
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    failed = False
    for name in arguments.files:
        with open(name, encoding="utf-8") as file:
            dashboard = json.load(file)
        if arguments.queries:
            for row in queries(dashboard):
                print("\t".join(row))
            continue
        found = list(problems(dashboard))
        for problem in found:
            print(f"{name}: {problem}")
        failed = failed or bool(found)
        if not found:
            print(f"{name}: {sum(1 for _ in panels(dashboard))} panels, {sum(1 for _ in queries(dashboard))} queries, fine")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
