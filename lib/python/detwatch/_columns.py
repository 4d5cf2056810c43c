"""Arguments of a caller to checked columns: every problem is a ``ValueError`` that names the argument.

The daemon checks the same things and would reject the frame with a reason; saying it here puts the message
where the mistake is. Lists, tuples, numpy arrays and tensors are told apart by what they can do
(``detach``, ``tolist``, ``cpu``, ``numpy``), so neither numpy nor torch is imported.
"""
from __future__ import annotations

import datetime
import math
import operator
import re
from array import array
from itertools import chain
from typing import Any, Callable, Collection, Iterable, List, Mapping, Optional, Sequence, Tuple, Union

MAX_TEXT_BYTES = 128
MAX_PIXELS = 1e9
MAX_AREA = 1e18
MAX_UINT32 = 2**32 - 1
MAX_TAGS = 16
_TAG_KEY = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")

CaptureTime = Union[float, datetime.datetime, None]


def to_list(name: str, values: Any) -> list:
    """A list of whatever `values` holds; arrays and tensors become nested lists of Python numbers."""
    if hasattr(values, "detach"):  # a tensor that may still carry its gradient
        values = values.detach()
    if not hasattr(values, "tolist") and hasattr(values, "numpy"):  # torch's own tolist comes from any device
        values = values.cpu().numpy() if hasattr(values, "cpu") else values.numpy()
    if hasattr(values, "tolist"):
        values = values.tolist()
    if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Iterable):
        raise ValueError(f"{name}: expected a sequence or an array, got {values!r:.60}")
    return list(values)


def to_floats(name: str, values: Any) -> array:
    """Finite doubles."""
    try:
        column = array("d", to_list(name, values))
    except (TypeError, OverflowError) as error:
        raise ValueError(f"{name}: expected a flat sequence of numbers ({error})") from None
    if not all(map(math.isfinite, column)):
        at = next(i for i, value in enumerate(column) if not math.isfinite(value))
        raise ValueError(f"{name}[{at}]: {column[at]} is not finite")
    return column


def within(name: str, column: Sequence[float], lowest: float, highest: float) -> None:
    if column and not (min(column) >= lowest and max(column) <= highest):
        at = next(i for i, value in enumerate(column) if not lowest <= value <= highest)
        raise ValueError(f"{name}[{at}]: {column[at]} is not in [{lowest:g}, {highest:g}]")


def fits_float32(column: array) -> bool:
    return array("f", column).tolist() == column.tolist()


def to_boxes(name: str, boxes: Any, box_format: str) -> array:
    """4n values of n boxes in `box_format` (xywh, xyxy, cxcywh), flat."""
    rows = [row if isinstance(row, (list, tuple)) else to_list(f"{name}[{i}]", row)
            for i, row in enumerate(to_list(name, boxes))]
    for i, row in enumerate(rows):
        if len(row) != 4:
            raise ValueError(f"{name}[{i}]: expected 4 values ({box_format}), got {len(row)}")
    flat = to_floats(name, list(chain.from_iterable(rows)))
    within(name, flat, -MAX_PIXELS, MAX_PIXELS)
    far, near = (flat[2::4], flat[3::4]), (flat[0::4], flat[1::4])
    if box_format != "xyxy":
        near = (array("d", bytes(8 * len(rows))),) * 2
    for high, low in zip(far, near):
        if any(map(operator.lt, high, low)):
            at = next(i for i, pair in enumerate(zip(high, low)) if pair[0] < pair[1])
            raise ValueError(f"{name}[{at}]: negative width or height in {list(rows[at])} read as {box_format}; "
                             "is box_format right?")
    return flat


def to_ids(name: str, values: Any, known: Collection[int]) -> List[int]:
    """Class ids that are in the class list. Whole-numbered floats are taken: many detectors hand them out."""
    ids = []
    for i, value in enumerate(to_list(name, values)):
        try:
            number = int(value)
            whole = number == value
        except (TypeError, ValueError, OverflowError):
            whole = False
        if not whole:
            raise ValueError(f"{name}[{i}]: {value!r} is not a whole number")
        if number not in known:
            raise ValueError(f"{name}[{i}]: {number} is not in class_names")
        ids.append(number)
    return ids


def to_flags(name: str, values: Any) -> List[bool]:
    flags = to_list(name, values)
    for i, flag in enumerate(flags):
        if flag not in (0, 1):
            raise ValueError(f"{name}[{i}]: {flag!r} is not a truth value")
    return [bool(flag) for flag in flags]


def same_length(name: str, column: Sequence, boxes: int) -> None:
    if len(column) != boxes:
        raise ValueError(f"{name}: {len(column)} values for {boxes} boxes")


def text(name: str, value: Any, *, empty: bool = False) -> str:
    """UTF-8 without control characters, at most 128 bytes."""
    if not isinstance(value, str):
        raise ValueError(f"{name}: expected a string, got {value!r:.60}")
    try:
        size = len(value.encode("utf-8"))
    except UnicodeEncodeError:
        raise ValueError(f"{name}: {value!r:.60} cannot be written as UTF-8") from None
    if size > MAX_TEXT_BYTES:
        raise ValueError(f"{name}: {size} bytes, at most {MAX_TEXT_BYTES}")
    if size == 0 and not empty:
        raise ValueError(f"{name}: is empty")
    if any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in value):
        raise ValueError(f"{name}: {value!r} holds a control character")
    return value


def frame_name(value: Any) -> str:
    """A frame id; whole numbers, as COCO image ids are, become decimal text."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        return text("frame_id", value)
    return str(operator.index(value))


def number(name: str, value: Any, check: Callable[[float], bool], rule: str) -> float:
    try:
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{name}: {value!r:.60} is not a number") from None
    if not check(result):
        raise ValueError(f"{name}: {value!r:.60} {rule}")
    return result


def whole(name: str, value: Any, lowest: int, highest: int = MAX_UINT32) -> int:
    try:
        result = operator.index(value)
    except TypeError:
        raise ValueError(f"{name}: {value!r:.60} is not a whole number") from None
    if not lowest <= result <= highest:
        raise ValueError(f"{name}: {result} is not in [{lowest}, {highest}]")
    return result


def nanoseconds(name: str, value: CaptureTime) -> int:
    """Seconds since the Unix epoch, or a datetime that knows its zone, as ns; None is 0, unknown."""
    if value is None:
        return 0
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            raise ValueError(f"{name}: {value!r} has no time zone")
        since = value - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
        if since.days < 0:
            raise ValueError(f"{name}: {value!r} is before 1970")
        return (since.days * 86400 + since.seconds) * 10**9 + since.microseconds * 1000
    # 1e11 s is the year 5138; whoever is beyond it has passed milliseconds or nanoseconds.
    seconds = number(name, value, lambda t: 0 < t < 1e11, "is not a time in seconds since 1970")
    return int(seconds * 1e9)


def size(name: str, value: Optional[Tuple[int, int]]) -> Tuple[int, int]:
    """(width, height) in pixels; None is (0, 0), unknown."""
    if value is None:
        return 0, 0
    pair = to_list(name, value)
    if len(pair) != 2:
        raise ValueError(f"{name}: expected (width, height), got {value!r:.60}")
    return whole(f"{name}[0]", pair[0], 1), whole(f"{name}[1]", pair[1], 1)


def choice(name: str, value: Any, choices: Mapping[str, int]) -> int:
    if value not in choices:
        raise ValueError(f"{name}: {value!r} is not one of {', '.join(choices)}")
    return choices[value]


def class_entries(name: str, value: Union[Sequence[str], Mapping[int, str]]) -> List[Tuple[int, str]]:
    """(id, name) by ascending id. A list counts from 0."""
    if isinstance(value, Mapping):
        pairs = [(whole(f"{name}: id {key!r}", key, 0), label) for key, label in value.items()]
    else:
        pairs = list(enumerate(to_list(name, value)))
    entries = sorted((key, text(f"{name}[{key}]", label)) for key, label in pairs)
    if not entries:
        raise ValueError(f"{name}: is empty")
    seen: dict = {}
    for key, label in entries:
        if label in seen:
            raise ValueError(f"{name}[{key}]: {label!r} is the name of id {seen[label]} too")
        seen[label] = key
    return entries


def tag_pairs(name: str, tags: Optional[Mapping[str, str]]) -> List[Tuple[str, str]]:
    pairs = list((tags or {}).items())
    if len(pairs) > MAX_TAGS:
        raise ValueError(f"{name}: {len(pairs)} tags, at most {MAX_TAGS}")
    for key, value in pairs:
        if not isinstance(key, str) or not _TAG_KEY.match(key):
            raise ValueError(f"{name}: {key!r} is not a label name ([a-zA-Z_][a-zA-Z0-9_]*)")
        text(f"{name}[{key}]", key)
        text(f"{name}[{key}]", value, empty=True)
    return pairs
