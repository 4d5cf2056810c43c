"""The reference evaluator's numbers, and how /metrics has to agree with them."""

import json

EXACT = 1e-9
# Promise for mAP over area all in binned mode.
BINNED_MAP = 1e-3
# Room for rounding at the ends of a bound.
ROUNDING = 1e-9

# COCO's name -> (family, labels).
TWELVE = {
    "AP": ("detwatch_mean_average_precision", {"iou": "0.50:0.95", "area": "all"}),
    "AP50": ("detwatch_mean_average_precision", {"iou": "0.50", "area": "all"}),
    "AP75": ("detwatch_mean_average_precision", {"iou": "0.75", "area": "all"}),
    "APs": ("detwatch_mean_average_precision", {"iou": "0.50:0.95", "area": "small"}),
    "APm": ("detwatch_mean_average_precision", {"iou": "0.50:0.95", "area": "medium"}),
    "APl": ("detwatch_mean_average_precision", {"iou": "0.50:0.95", "area": "large"}),
    "AR1": ("detwatch_average_recall", {"max_dets": "1", "area": "all"}),
    "AR10": ("detwatch_average_recall", {"max_dets": "10", "area": "all"}),
    "AR100": ("detwatch_average_recall", {"max_dets": "100", "area": "all"}),
    "ARs": ("detwatch_average_recall", {"max_dets": "100", "area": "small"}),
    "ARm": ("detwatch_average_recall", {"max_dets": "100", "area": "medium"}),
    "ARl": ("detwatch_average_recall", {"max_dets": "100", "area": "large"}),
}


class DataSet:
    """A COCO ground truth with predictions, and what the reference evaluator says of them."""

    def __init__(self, folder):
        self.ground_truth = folder / "gt.json"
        self.predictions = folder / "dt.json"
        truth = json.loads(self.ground_truth.read_text(encoding="utf-8"))
        self.names = {category["id"]: category["name"] for category in truth["categories"]}
        self.images = sorted(truth["images"], key=lambda image: image["id"])
        self.labels = {image["id"]: [] for image in self.images}
        for annotation in truth["annotations"]:
            self.labels[annotation["image_id"]].append(annotation)
        self.detections = {image["id"]: [] for image in self.images}
        for detection in json.loads(self.predictions.read_text(encoding="utf-8")):
            self.detections[detection["image_id"]].append(detection)
        expected = folder / "expected_coco.json"
        self.expected = json.loads(expected.read_text(encoding="utf-8")) if expected.exists() else None


def check_twelve(test, metrics, stats, **group):
    """The twelve numbers of window total: exact, or in binned mode as good as promised. AR is always exact."""
    exact = metrics.get("detwatch_window_exact", window="total", **group) == 1
    for name, (family, labels) in TWELVE.items():
        value = metrics.get(family, window="total", **labels, **group)
        if stats[name] == -1:
            test.assertIsNone(value, f"{name} is undefined, so /metrics must not have it")
            continue
        test.assertIsNotNone(value, f"/metrics has no {name}")
        tolerance = EXACT if exact or family == "detwatch_average_recall" else None
        if tolerance is None:
            lower = metrics.get(family + "_binning_lower", window="total", **labels, **group)
            upper = metrics.get(family + "_binning_upper", window="total", **labels, **group)
            test.assertLessEqual(lower - ROUNDING, stats[name], f"{name}: lower bound")
            test.assertGreaterEqual(upper + ROUNDING, stats[name], f"{name}: upper bound")
            test.assertLessEqual(lower, value + ROUNDING, f"{name}: the estimate lies in its bounds")
            test.assertLessEqual(value, upper + ROUNDING, f"{name}: the estimate lies in its bounds")
            tolerance = BINNED_MAP if name == "AP" else None
        if tolerance is not None:
            test.assertAlmostEqual(value, stats[name], delta=tolerance, msg=name)
    return exact


def check_classes(test, summary, expected_ap):
    """AP of every class, area and threshold in the API's window total. expected_ap: {name: {area: [AP]}}; -1 where
    undefined. Exact where the class is, else inside the bounds."""
    window = next(w for w in summary["views"][0]["groups"][0]["windows"] if w["window"] == "total")
    checked = 0
    for name, by_area in expected_ap.items():
        live = window["per_class"].get(name)
        for area, values in by_area.items():
            if live is None:
                test.assertTrue(all(value in (-1, 0) for value in values), f"{name} was never judged")
                continue
            for index, value in enumerate(values):
                where = f"{name}, {area}, threshold {index}"
                ap = live["ap"][area][index]
                if value == -1:
                    test.assertIsNone(ap["value"], where)
                    continue
                checked += 1
                if live["exact"]:
                    test.assertAlmostEqual(ap["value"], value, delta=EXACT, msg=where)
                test.assertLessEqual(ap["lower"] - ROUNDING, value, where)
                test.assertGreaterEqual(ap["upper"] + ROUNDING, value, where)
    return checked
