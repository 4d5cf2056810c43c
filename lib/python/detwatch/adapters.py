"""What other libraries hand out, as keyword arguments of ``Publisher.predictions`` and ``Publisher.labels``.

The publisher calls this itself: ``publisher.predictions("frame-1", result)`` is enough. Call it to look at the
columns, or to change them, before they are published::

    columns = detwatch.adapters.predictions(result)
    columns["class_ids"] = [renumbered[i] for i in columns["class_ids"]]
    publisher.predictions("frame-1", **columns)

Known by their attributes, so that none of these libraries is imported:

====================== ============================================ =====================================
what                   read for predictions                         and for labels
====================== ============================================ =====================================
Ultralytics `Results`  ``boxes.xyxy, .conf, .cls``, ``orig_shape``  without ``conf``; ``source="auto"`` only
                       (height, width), ``names``,
                       ``speed["inference"]`` (ms)
torchvision dict       ``boxes``, ``scores``, ``labels``            ``boxes``, ``labels``, ``area``, ``iscrowd``
Supervision            ``xyxy``, ``confidence``, ``class_id``,      ``xyxy``, ``class_id``, area and crowd of
`Detections`           ``data["class_name"]``                       ``data``, or the area of ``mask``
====================== ============================================ =====================================

Boxes are in pixels of the original image, as left, top, right, bottom. Columns stay arrays or tensors, on
whatever device, until they are published. Everything is upright boxes: oriented ones are refused, because the
box around one is another claim than the one the model made.
"""
from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from . import _columns as columns
from . import _encode as encode

__all__ = ["labels", "predictions"]

_ORIENTED = "is of oriented boxes ({}), and upright ones are judged"


def predictions(result: Any, class_names: Optional[Mapping[int, str]] = None) -> Dict[str, Any]:
    """What one model found in one image.

    Arguments:
      result: of one image; a list of results is refused. class_names: id -> name; where the result brings names
        of its own, an id that is in both must mean the same.

    Returns the keywords ``boxes`` (n x 4), ``scores`` (n), ``class_ids`` (n), ``box_format``, and where the
    result knows them ``image_size`` (width, height in pixels) and ``inference_seconds``.

    Raises ValueError, naming what is missing or disagrees.
    """
    if isinstance(result, Mapping):
        taken = _dict(result)
        taken["scores"] = _item(result, "scores")
    elif _is_ultralytics(result):
        taken = _ultralytics(result, class_names)
        taken["scores"] = result.boxes.conf
        milliseconds = (getattr(result, "speed", None) or {}).get("inference")
        if milliseconds is not None:
            taken["inference_seconds"] = milliseconds / 1000
    elif _is_supervision(result):
        taken = _supervision(result, class_names)
        taken["scores"] = _column(result, "confidence")
    else:
        raise _unknown(result)
    return taken


def labels(truth: Any, class_names: Optional[Mapping[int, str]] = None) -> Dict[str, Any]:
    """What was really in one image.

    Arguments and errors as for `predictions`. Returns the keywords ``boxes`` (m x 4), ``class_ids`` (m),
    ``box_format``, and where `truth` knows them ``areas`` (m, square pixels), ``crowd`` (m) and ``image_size``.
    """
    if isinstance(truth, Mapping):
        taken = _dict(truth)
        more = truth
    elif _is_ultralytics(truth):
        taken = _ultralytics(truth, class_names)
        more = {}
    elif _is_supervision(truth):
        taken = _supervision(truth, class_names)
        more = getattr(truth, "data", None) or {}
        if getattr(truth, "mask", None) is not None:
            taken["areas"] = truth.area  # of the masks, where there are some
    else:
        raise _unknown(truth)
    for key, name in (("area", "areas"), ("iscrowd", "crowd")):
        if more.get(key) is not None:
            taken[name] = more[key]
    return taken


def is_result(value: Any) -> bool:
    """True for what `predictions` and `labels` take. Raises ValueError for a list of such."""
    if isinstance(value, (list, tuple)):
        if value and _is_one(value[0]):
            raise ValueError(f"boxes: a list of {len(value)} results; a call takes the one of its frame")
        return False
    return _is_one(value)


def is_scored(value: Any) -> bool:
    """True for a result that carries scores, so that a model has made it. Requires: `is_result`."""
    if isinstance(value, Mapping):
        return "scores" in value
    return _is_ultralytics(value) or value.confidence is not None


def _is_one(value: Any) -> bool:
    return isinstance(value, Mapping) or _is_ultralytics(value) or _is_supervision(value)


def _is_ultralytics(value: Any) -> bool:
    return hasattr(value, "boxes") and hasattr(value, "names") and hasattr(value, "orig_shape")


def _is_supervision(value: Any) -> bool:
    return hasattr(value, "xyxy") and hasattr(value, "confidence") and hasattr(value, "class_id")


def _unknown(value: Any) -> ValueError:
    return ValueError(f"boxes: {type(value).__name__} is not Ultralytics' Results, torchvision's dict or "
                      "Supervision's Detections")


def _dict(result: Mapping) -> Dict[str, Any]:
    boxes = _item(result, "boxes")
    taken = {"boxes": boxes, "class_ids": _item(result, "labels"), "box_format": "xyxy"}
    if hasattr(boxes, "canvas_size"):  # torchvision's tv_tensors.BoundingBoxes knows better
        form = str(getattr(boxes.format, "value", boxes.format)).lower()
        if form not in encode.BOX_FORMATS:
            raise ValueError("boxes: the dict " + _ORIENTED.format(form))
        height, width = boxes.canvas_size
        taken.update(box_format=form, image_size=(width, height))
    return taken


def _ultralytics(result: Any, class_names: Optional[Mapping[int, str]]) -> Dict[str, Any]:
    if getattr(result, "obb", None) is not None:
        raise ValueError("boxes: the Results " + _ORIENTED.format("obb"))
    if result.boxes is None:
        task = "a classification model's" if getattr(result, "probs", None) is not None else "no detector's"
        raise ValueError(f"boxes: the Results has none (boxes is None): it is {task}")
    names = result.names
    if class_names and names:
        known = names if isinstance(names, Mapping) else dict(enumerate(names))
        for key in sorted(class_names):
            _agree(key, class_names[key], known.get(key, class_names[key]))
    height, width = result.orig_shape
    return {"boxes": result.boxes.xyxy, "class_ids": result.boxes.cls, "box_format": "xyxy",
            "image_size": (width, height)}


def _supervision(result: Any, class_names: Optional[Mapping[int, str]]) -> Dict[str, Any]:
    data = getattr(result, "data", None) or {}
    if "xyxyxyxy" in data:
        raise ValueError("boxes: the Detections " + _ORIENTED.format("xyxyxyxy"))
    ids = _column(result, "class_id")
    if class_names and data.get("class_name") is not None:
        pairs = zip(columns.to_list("class_ids", ids), columns.to_list("class_name", data["class_name"]))
        for key, name in sorted(set(pairs)):
            _agree(key, class_names.get(key, name), name)
    return {"boxes": result.xyxy, "class_ids": ids, "box_format": "xyxy"}


def _column(result: Any, name: str) -> Any:
    """A column that may be None only where there is nothing to say."""
    column = getattr(result, name)
    if column is None and len(result.xyxy) > 0:
        raise ValueError(f"boxes: the Detections has no {name}")
    return [] if column is None else column


def _item(result: Mapping, key: str) -> Any:
    if key not in result:
        raise ValueError(f"boxes: the dict has no {key!r}")
    return result[key]


def _agree(key: int, ours: str, theirs: str) -> None:
    if ours != theirs:
        raise ValueError(f"class_names: id {key} is {ours!r}, and {str(theirs)!r} to the model")
