"""When two daemons counted the same: what has to agree, and the differences in words."""

import math

# What depends on how the messages came and not on what they said, and on this run of the process.
TRANSPORT = ("detwatch_messages_total", "detwatch_message_bytes_total", "detwatch_messages_duplicate_total",
             "detwatch_frames_duplicate_total", "detwatch_labels_duplicate_total")
OF_THE_RUN = ("detwatch_cuts_absorbed_total", "detwatch_checkpoints_total", "detwatch_checkpoint_failures_total",
              "detwatch_handover_seconds", "detwatch_series_dropped_total", "detwatch_clock_held_total",
              "detwatch_http_", "process_")
# A histogram of times: only how many there are is the same.
TIMES = ("detwatch_label_delay_seconds_bucket", "detwatch_label_delay_seconds_sum")


def is_counter(metrics, name):
    """A counter, or a series of a histogram."""
    if metrics.types.get(name) == "counter":
        return True
    return any(name.endswith(end) and metrics.types.get(name.removesuffix(end)) == "histogram"
               for end in ("_bucket", "_sum", "_count"))


def pipeline_counters(metrics, leave_out=TRANSPORT):
    """{(name, labels): value} of everything that is counted for ever and must not depend on restarts."""
    return {(name, labels): value for name, series in metrics.samples.items()
            if is_counter(metrics, name) and not name.startswith(tuple(leave_out) + OF_THE_RUN + TIMES)
            for labels, value in series.items()}


def gauges(metrics, *prefixes, without=()):
    return {(name, labels): value for name, series in metrics.samples.items()
            if metrics.types.get(name) == "gauge" and name.startswith(prefixes) and not name.startswith(tuple(without))
            for labels, value in series.items()}


def differences(left, right, tolerance=0.0):
    """One line for each key with another value, sorted; sums of a histogram are sums of floats in another order."""
    lines = []
    for key in sorted(left.keys() | right.keys(), key=str):
        a, b = left.get(key), right.get(key)
        if a is None or b is None:
            # A series without a count is the same as none.
            same = not (a or b)
        elif isinstance(a, (int, float)) and isinstance(b, (int, float)):
            room = max(tolerance, 1e-9 if str(key[0]).endswith("_sum") else 0.0)
            same = math.isclose(a, b, rel_tol=room, abs_tol=room) if room else a == b
        else:
            same = a == b
        if not same:
            name, labels = key
            lines.append(f"{name} {sorted(labels) if isinstance(labels, frozenset) else labels}: {a} and {b}")
    return lines


def leaves(value, path=""):
    """{(path, ""): number or text} of a JSON document."""
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    else:
        return {(path, ""): value}
    found = {}
    for key, item in items:
        found |= leaves(item, f"{path}.{key}")
    return found


def check_same(test, left, right, tolerance=0.0, what=""):
    lines = differences(left, right, tolerance)
    test.assertFalse(lines, f"{what}: {len(lines)} of {len(left | right)} differ:\n" + "\n".join(lines[:25]))
