"""Checked columns to payload bytes; the inverse of what the daemon decodes."""
from __future__ import annotations

from array import array
from typing import Any, Iterable, List, Sequence, Tuple

from . import _columns as columns
from .v1 import detwatch_pb2 as pb

BOX_FORMATS = {"xywh": pb.BOX_FORMAT_XYWH, "xyxy": pb.BOX_FORMAT_XYXY, "cxcywh": pb.BOX_FORMAT_CXCYWH}
SOURCES = {"unknown": pb.LABEL_SOURCE_UNKNOWN, "human": pb.LABEL_SOURCE_HUMAN, "auto": pb.LABEL_SOURCE_AUTO,
           "simulator": pb.LABEL_SOURCE_SIMULATOR}
SAMPLINGS = {"unknown": pb.SAMPLING_UNKNOWN, "random": pb.SAMPLING_RANDOM, "triggered": pb.SAMPLING_TRIGGERED}

_FNV_OFFSET = 14695981039346656037
_FNV_PRIME = 1099511628211


def class_list_hash(entries: Sequence[Tuple[int, str]]) -> int:
    """64-bit FNV-1a over "<id>:<name>\\n" of every entry. Requires: ascending ids."""
    value = _FNV_OFFSET
    for byte in "".join(f"{key}:{name}\n" for key, name in entries).encode("utf-8"):
        value = ((value ^ byte) * _FNV_PRIME) & 0xFFFFFFFFFFFFFFFF
    return value


def fill_boxes(message: Any, flat: array, box_format: str, normalized: bool) -> None:
    """float32 when every value survives it, else float64: half the bytes for most detectors."""
    message.format = BOX_FORMATS[box_format]
    message.unit = pb.BOX_UNIT_NORMALIZED if normalized else pb.BOX_UNIT_PIXELS
    if columns.fits_float32(flat):
        message.float_values.extend(flat)
    else:
        message.double_values.extend(flat)


def fill_tags(message: Any, pairs: Iterable[Tuple[str, str]]) -> None:
    for key, value in pairs:
        message.tags.add(key=key, value=value)


def tombstone(reason: str, frames: int = 1) -> bytes:
    return pb.Payload(tombstone=pb.Tombstone(reason=reason, frames=frames)).SerializeToString()


def announced_counts(announcements: Sequence[pb.Payload]) -> List[Tuple[str, int]]:
    """(option, how many) of what a daemon limits in announcements."""
    counts = {"class_list": lambda payload: ("class_names", len(payload.class_list.entries)),
              "model_info": lambda payload: ("tags", len(payload.model_info.tags)),
              "stream_info": lambda payload: ("stream_tags", len(payload.stream_info.tags))}
    return [counts[payload.WhichOneof("kind")](payload) for payload in announcements]


def with_announcements(announcements: Sequence[pb.Payload], payload: bytes) -> bytes:
    """One batch: the announcements, then the payload. It keeps the payload's sequence number."""
    items: List[pb.Payload] = list(announcements)
    if payload:
        items.append(pb.Payload.FromString(payload))
    return pb.Payload(batch=pb.Batch(items=items)).SerializeToString()
