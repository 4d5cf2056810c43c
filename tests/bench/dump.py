#!/usr/bin/python3
"""Writes a COCO ground-truth and results pair as the binary file that the benchmarks read.

  dump.py GT.json DT.json OUT
  DETWATCH_BENCH_DUMP=OUT match_bench

Frames are in ascending image id, classes in ascending category id, boxes in file order.
"""
import array
import json
import sys


def main() -> None:
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        truth = json.load(file)
    with open(sys.argv[2], encoding="utf-8") as file:
        detections = json.load(file)
    image_index = {v: i for i, v in enumerate(sorted(image["id"] for image in truth["images"]))}
    class_index = {v: i for i, v in enumerate(sorted(c["id"] for c in truth["categories"]))}

    def rows(boxes: list, value: str) -> array.array:
        out = array.array("d")
        for box in boxes:
            out.extend((image_index[box["image_id"]], class_index[box["category_id"]], *box["bbox"],
                        box[value], box.get("iscrowd", 0)))
        return out

    header = (len(image_index), len(class_index), len(truth["annotations"]), len(detections))
    with open(sys.argv[3], "wb") as file:
        array.array("q", header).tofile(file)
        rows(truth["annotations"], "area").tofile(file)
        rows(detections, "score").tofile(file)


if __name__ == "__main__":
    main()
