"""The publisher: what a detector or a label tool calls. See :class:`Publisher`."""
from __future__ import annotations

import itertools
import os
import socket
import threading
import time
import weakref
from typing import Any, Iterable, Mapping, Optional, Sequence, Tuple, Union

from . import _columns as columns
from . import _encode as encode
from . import adapters
from ._columns import CaptureTime
from ._link import Link, Settings, Stats, Timing, log
from ._plain import PlainLink
from ._reliable import ReliableLink
from .v1 import detwatch_pb2 as pb

_serial = itertools.count()
_publishers: "weakref.WeakSet[Publisher]" = weakref.WeakSet()
_left_behind: list = []  # links of a parent process: their threads are not here, so nothing may touch them


class Publisher:
    """Publishes predictions and labels to one detwatch daemon.

    Calls check their arguments, encode and return; a background thread talks to the daemon. By default a
    detector never waits: when the daemon is away, up to `window_bytes` are kept and then the oldest dropped,
    and `stats` says how many. Any thread may call any method.

    Arguments:
      endpoint: ZeroMQ endpoint of the daemon, for example ``tcp://127.0.0.1:5557``: its ``--ingest.reliable``
        when `reliable`, else its ``--ingest.subscribe``.
      model: name of the detector; needed for `predictions`. `version` tells deployments of it apart.
      stream: camera, line or robot; may stay empty when there is only one.
      class_names: what class ids mean: a list (ids count from 0) or a dict id -> name. Names are matched
        across models and labels, so they have to be spelled alike.
      reliable: acknowledged and sent again until the daemon has it on disk; otherwise fire and forget.
      name: who sends: unique among the publishers of a daemon, and the same after a restart. Default: host,
        process id and a number. A later run with the same name takes over.
      score_threshold: lowest score published, in [0, 1]; max_detections: most boxes published per frame. Both
        truncate AP, so the daemon shows them.
      tags, stream_tags: {label name: value}, at most 16, attached to the model's and the stream's metrics.
      labels_expected: False: labels never come, and their absence is no fault.
      window_bytes: bound on what is held for sending and for acknowledgement.
      on_full: ``drop_oldest``, or ``block``: calls wait for room.
      box_format: of `boxes` columns: ``xyxy`` (left, top, right, bottom), ``xywh`` (left, top, width,
        height; COCO) or ``cxcywh`` (centre, width, height). Results of other libraries say their own.

    Raises ValueError, naming the argument, before anything is sent; RuntimeError after `close`.

    After a fork the child has a connection and counters of its own and holds nothing of its parent's. A given
    `name` is then the child's too and supersedes the parent: make publishers after forking, or leave it out.
    """

    def __init__(self, endpoint: str, *, model: Optional[str] = None, version: str = "", stream: str = "",
                 class_names: Union[Sequence[str], Mapping[int, str]], reliable: bool = True,
                 name: Optional[str] = None, score_threshold: Optional[float] = None,
                 max_detections: Optional[int] = None, tags: Optional[Mapping[str, str]] = None,
                 stream_tags: Optional[Mapping[str, str]] = None, labels_expected: bool = True,
                 window_bytes: int = 64 << 20, on_full: str = "drop_oldest", box_format: str = "xyxy",
                 _timing: Timing = Timing()) -> None:
        self._closed = True  # until everything below has succeeded
        if not isinstance(endpoint, str) or "://" not in endpoint:
            raise ValueError(f"endpoint: {endpoint!r} is not like tcp://127.0.0.1:5557")
        self._endpoint = endpoint
        self._model = columns.text("model", model) if model is not None else ""
        self._version = columns.text("version", version, empty=True)
        self._stream = columns.text("stream", stream, empty=True)
        self._reliable = bool(reliable)
        self._given_name = columns.text("name", name) if name is not None else None
        self._window_bytes = columns.whole("window_bytes", window_bytes, 1, 2**62)
        self._block = bool(columns.choice("on_full", on_full, {"drop_oldest": 0, "block": 1}))
        columns.choice("box_format", box_format, encode.BOX_FORMATS)
        self._box_format = box_format
        entries = columns.class_entries("class_names", class_names)
        self._names = dict(entries)
        self._hash = encode.class_list_hash(entries)
        self._announcements = self._announce(entries, score_threshold, max_detections, labels_expected,
                                             columns.tag_pairs("tags", tags),
                                             columns.tag_pairs("stream_tags", stream_tags))
        self._timing = _timing
        self._start_lock = threading.Lock()
        self._link: Optional[Link] = None
        self._start()
        self._closed = False
        _publishers.add(self)

    def predictions(self, frame_id: Union[str, int], boxes: Any, scores: Any = None, class_ids: Any = None, *,
                    capture_time: CaptureTime = None, image_size: Optional[Tuple[int, int]] = None,
                    inference_seconds: Optional[float] = None, box_format: Optional[str] = None,
                    normalized: bool = False, stream: Optional[str] = None) -> int:
        """Everything the model predicted on one frame. No boxes is a statement, and must be published too.

        Arguments:
          frame_id: unique per stream over the daemon's retention; at most 128 bytes.
          boxes: n x 4, finite, at most 1e9 pixels; or what the detector handed out for this frame, see
            :mod:`detwatch.adapters`: an Ultralytics ``Results``, a dict ``{"boxes", "scores", "labels"}`` as
            torchvision's, a Supervision ``Detections``. It brings its own scores and class ids.
          scores: n values in [0, 1]. class_ids: n ids of `class_names`.
          capture_time: seconds since 1970, or a datetime with a time zone.
          image_size: (width, height) in pixels. normalized: boxes are fractions of it.
          inference_seconds: how long the detector took, not negative.

        Returns the message's sequence number, for `Stats.acknowledged_sequence`. They rise, with holes.
        """
        if not self._model:
            raise ValueError("model: this publisher was made without one, so it can only publish labels")
        if adapters.is_result(boxes):
            taken = self._take(adapters.predictions, boxes, box_format, scores=scores, class_ids=class_ids)
            boxes, scores, class_ids, box_format = (
                taken[key] for key in ("boxes", "scores", "class_ids", "box_format"))
            image_size = taken.get("image_size") if image_size is None else image_size
            inference_seconds = taken.get("inference_seconds") if inference_seconds is None else inference_seconds
        payload = pb.Payload()
        message = payload.predictions
        flat = self._fill(message, frame_id, boxes, class_ids, capture_time, image_size, box_format, normalized,
                          stream)
        column = columns.to_floats("scores", scores)
        columns.within("scores", column, 0.0, 1.0)
        columns.same_length("scores", column, len(flat) // 4)
        message.scores.extend(column)
        message.model = self._model
        message.version = self._version
        if inference_seconds is not None:
            message.inference_seconds = columns.number("inference_seconds", inference_seconds,
                                                       lambda s: 0 <= s < 1e9, "is not a duration in seconds")
        return self._publish(payload, len(flat) // 4)

    def labels(self, frame_id: Union[str, int], boxes: Any, class_ids: Any = None, *, areas: Any = None,
               crowd: Any = None, difficult: Any = None, source: str = "unknown", sampling: str = "unknown",
               revision: int = 0, final: Optional[bool] = None, examined: Optional[Iterable[int]] = None,
               capture_time: CaptureTime = None, image_size: Optional[Tuple[int, int]] = None,
               box_format: Optional[str] = None, normalized: bool = False, stream: Optional[str] = None) -> int:
        """What was really in one frame; judged against every model that predicted it, now or later.

        Arguments and result as for `predictions`, and:
          boxes: m x 4; or a dict ``{"boxes", "labels"}`` with ``"area"`` and ``"iscrowd"`` if it has them, as
            torchvision's targets; or a Supervision ``Detections``. What carries scores was made by a model,
            and is taken for the truth only with ``source="auto"``.
          areas: m object areas in square pixels, where they differ from width x height (COCO ``area``).
          crowd, difficult: m truth values (COCO ``iscrowd``, Pascal VOC ``difficult``).
          source: ``human``, ``auto``, ``simulator``, ``unknown``. sampling: how the frame was chosen for
            labelling: ``random``, ``triggered``, ``unknown``.
          revision: a higher one replaces a lower one. final: no higher one will come; default: True unless the
            source is human. examined: the classes that were looked for; default: all of `class_names`.
        """
        if adapters.is_result(boxes):
            if source != "auto" and adapters.is_scored(boxes):
                raise ValueError(f"source: {source!r}, but the boxes have scores, so a model made them; "
                                 "are they predictions?")
            taken = self._take(adapters.labels, boxes, box_format, class_ids=class_ids, areas=areas, crowd=crowd)
            areas, crowd = taken.get("areas"), taken.get("crowd")
            boxes, class_ids, box_format = (taken[key] for key in ("boxes", "class_ids", "box_format"))
            image_size = taken.get("image_size") if image_size is None else image_size
        payload = pb.Payload()
        message = payload.labels
        flat = self._fill(message, frame_id, boxes, class_ids, capture_time, image_size, box_format, normalized,
                          stream)
        if areas is not None:
            column = columns.to_floats("areas", areas)
            columns.within("areas", column, 0.0, columns.MAX_AREA)
            columns.same_length("areas", column, len(flat) // 4)
            (message.float_areas if columns.fits_float32(column) else message.double_areas).extend(column)
        for key, values, target in (("crowd", crowd, message.crowd), ("difficult", difficult, message.difficult)):
            if values is not None:
                flags = columns.to_flags(key, values)
                columns.same_length(key, flags, len(flat) // 4)
                target.extend(flags)
        message.source = columns.choice("source", source, encode.SOURCES)
        message.sampling = columns.choice("sampling", sampling, encode.SAMPLINGS)
        message.revision = columns.whole("revision", revision, 0)
        message.final = source != "human" if final is None else bool(final)
        if examined is not None:
            message.partial = True
            message.examined_class_ids.extend(sorted(set(columns.to_ids("examined", examined, self._names))))
        return self._publish(payload, len(flat) // 4)

    def flush(self, timeout: Optional[float] = None) -> bool:
        """Waits until everything published so far was acknowledged (or dropped, see `stats`); without
        `reliable`, until it was handed to the socket. False when `timeout` seconds were not enough:
        ``stats.pending`` says how many messages are still held, and they stay so."""
        return self._start().flush(timeout)

    def close(self, timeout: Optional[float] = 5.0) -> bool:
        """Flushes for up to `timeout` seconds and ends the connection; the result is `flush`'s. A warning and
        ``stats.pending`` say how many messages nobody has acknowledged. Idempotent."""
        if self._closed:
            return True
        self._closed = True
        deadline = None if timeout is None else time.monotonic() + timeout
        if self._link is None:
            return True
        done = self._link.flush(timeout)
        left = 5.0 if deadline is None else max(0.0, deadline - time.monotonic())
        self._link.stop(linger=0.0 if self._reliable else left)
        pending = self._link.stats().pending
        if pending:
            log.warning("detwatch publisher %s was closed with %d messages undelivered", self._name, pending)
        return done

    @property
    def stats(self) -> Stats:
        """Counts since the start; see :class:`Stats`."""
        return Stats() if self._link is None else self._link.stats()

    @property
    def name(self) -> str:
        return self._name

    def __enter__(self) -> "Publisher":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __del__(self) -> None:
        if not self._closed and self._link is not None:
            self._closed = True
            self._link.stop(linger=0.0)

    def _announce(self, entries, score_threshold, max_detections, labels_expected, tags, stream_tags) -> list:
        payloads = [pb.Payload(class_list=pb.ClassList(
            hash=self._hash, entries=[pb.ClassEntry(id=key, name=label) for key, label in entries]))]
        if self._model:
            info = pb.ModelInfo(model=self._model, version=self._version, class_list_hash=self._hash)
            encode.fill_tags(info, tags)
            if score_threshold is not None:
                info.score_threshold = columns.number("score_threshold", score_threshold,
                                                      lambda s: 0 <= s <= 1, "is not in [0, 1]")
            if max_detections is not None:
                info.max_detections = columns.whole("max_detections", max_detections, 1)
            if not labels_expected:
                info.labels = pb.LABEL_EXPECTATION_NEVER
            payloads.append(pb.Payload(model_info=info))
        elif tags or score_threshold is not None or max_detections is not None:
            raise ValueError("model: tags, score_threshold and max_detections describe a model, and none is given")
        if stream_tags:
            about = pb.StreamInfo(stream=self._stream)
            encode.fill_tags(about, stream_tags)
            payloads.append(pb.Payload(stream_info=about))
        return payloads

    def _fill(self, message: Any, frame_id, boxes, class_ids, capture_time, image_size, box_format, normalized,
              stream):
        frame = message.frame
        frame.frame_id = columns.frame_name(frame_id)
        frame.stream = self._stream if stream is None else columns.text("stream", stream, empty=True)
        frame.capture_time_ns = columns.nanoseconds("capture_time", capture_time)
        frame.image_width, frame.image_height = columns.size("image_size", image_size)
        if normalized and image_size is None:
            raise ValueError("image_size: normalized boxes need it")
        box_format = self._box_format if box_format is None else box_format
        columns.choice("box_format", box_format, encode.BOX_FORMATS)
        flat = columns.to_boxes("boxes", boxes, box_format)
        encode.fill_boxes(message.boxes, flat, box_format, normalized)
        ids = columns.to_ids("class_ids", class_ids, self._names)
        columns.same_length("class_ids", ids, len(flat) // 4)
        message.class_ids.extend(ids)
        message.class_list_hash = self._hash
        return flat

    def _take(self, adapter: Any, result: Any, box_format: Optional[str], **given: Any) -> Mapping[str, Any]:
        what = "dict" if isinstance(result, Mapping) else type(result).__name__
        for name, value in given.items():
            if value is not None:
                raise ValueError(f"{name}: is in the {what} already")
        taken = adapter(result, self._names)
        if box_format not in (None, taken["box_format"]):
            if what != "dict" or "image_size" in taken:
                raise ValueError(f"box_format: {box_format!r}, but the {what} is {taken['box_format']}")
            taken["box_format"] = box_format  # a plain dict may hold what its owner likes
        return taken

    def _publish(self, payload: pb.Payload, boxes: int) -> int:
        if self._closed:
            raise RuntimeError("the publisher is closed")
        link = self._start()
        limit = link.boxes_limit
        if limit is not None and boxes > limit:
            return link.refuse("too_many_boxes", f"{boxes} boxes, the daemon takes {limit}")
        limit = link.classes_limit
        if limit is not None and len(self._names) > limit:  # it refused the list, so it can judge none of its frames
            return link.refuse("too_many_classes", f"{len(self._names)} class names, the daemon takes {limit}")
        return link.offer(payload.SerializeToString())

    def _start(self) -> Link:
        with self._start_lock:
            if self._link is None:
                self._name = self._given_name or f"{socket.gethostname()[:96]}-{os.getpid()}-{next(_serial)}"
                settings = Settings(self._endpoint, self._name, self._window_bytes, self._block, self._timing)
                self._link = (ReliableLink if self._reliable else PlainLink)(settings, self._announcements)
            return self._link

    def _forked(self) -> None:
        if self._link is not None:
            _left_behind.append(self._link)
        self._link = None
        self._start_lock = threading.Lock()


def _after_fork() -> None:
    for publisher in list(_publishers):
        publisher._forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
