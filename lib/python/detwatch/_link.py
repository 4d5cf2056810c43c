"""From the caller's thread to the daemon: a window of payloads, and one background thread that owns the
socket. This file is what both transports share; _reliable.py and _plain.py are the two.

Threads: `offer`, `flush`, `stop` and `stats` from any thread; everything else runs in the link's own. The
window is guarded by `_lock`, which is held for microseconds, so a detector never waits for the network.
"""
from __future__ import annotations

import logging
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Deque, Dict, NamedTuple, Optional, Sequence, Tuple

import zmq

from . import _encode
from ._window import Item, SendWindow
from .v1 import detwatch_pb2 as pb

log = logging.getLogger("detwatch")


class Timing(NamedTuple):
    """Seconds; the protocol's values, shorter in tests."""
    hello: float = 5.0
    silence: float = 15.0
    announce: float = 10.0


class RejectedItem(NamedTuple):
    """One message the daemon did not count."""
    sequence: int  #: what `Publisher.predictions` or `Publisher.labels` returned
    reason: str  #: the ``reason`` label of detwatch_frames_rejected_total
    detail: str  #: names the field, for people


class LabelTally(NamedTuple):
    """What became of this run's label messages, as far as the daemon has told (reliable only). Each one that is
    acknowledged is in exactly one of these but `corrected`, which is in `joined` too."""
    joined: int = 0     #: the frame was known, and judged (again, when they were a correction)
    waiting: int = 0    #: no predictions of the frame were known when they came; they wait for some
    corrected: int = 0  #: of joined: replaced labels the frame had been judged by
    duplicate: int = 0  #: came before with the same content
    late: int = 0       #: the frame was here, and is no longer held
    refused: int = 0    #: anything else, see `Stats.rejected`


@dataclass(frozen=True)
class Stats:
    """Counts since the publisher was made, in messages; its own announcements are left out."""
    sent: int = 0          #: on the wire at least once
    acknowledged: int = 0  #: durable in the daemon (reliable only)
    dropped: int = 0       #: given up because the window was full or the publisher was superseded
    resent: int = 0        #: sent again, after a lost connection or a restart of the daemon
    pending: int = 0       #: held now: not yet sent, or not yet acknowledged
    rejected: Dict[str, int] = field(default_factory=dict)    #: by reason (reliable only)
    recent_rejects: Tuple[RejectedItem, ...] = ()             #: the last 16
    connected: bool = False
    superseded: bool = False  #: a newer run took this publisher's name; nothing is sent any more
    #: No message up to this sequence number is needed again: the daemon has it on disk, or it is counted in
    #: `dropped` or `rejected`. 0 at the start of each run (reliable only).
    acknowledged_sequence: int = 0
    labels: LabelTally = LabelTally()


@dataclass(frozen=True)
class Settings:
    endpoint: str
    name: str
    window_bytes: int
    block: bool
    timing: Timing = Timing()


class Link:
    """Requires of a subclass: `_open`, `_ready`, `_on_sent`, `_receive`, `_tick`."""

    def __init__(self, settings: Settings, announcements: Sequence[pb.Payload], credit: int) -> None:
        self._settings = settings
        self._announcements = announcements
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        # Guarded by _lock.
        self._window = SendWindow(settings.window_bytes, credit)
        self._rejected: Dict[str, int] = {}
        self._recent: Deque[RejectedItem] = deque(maxlen=16)
        self._labels = LabelTally()
        self._sleeping = False
        self._stopping = False
        self.boxes_limit: Optional[int] = None  # boxes of a frame, once the daemon has told
        self.classes_limit: Optional[int] = None  # entries of a class list, likewise
        self._over = False  # superseded or failed: nothing will be sent any more
        self._connected = False
        # Owned by the thread.
        self._epoch = time.time_ns()
        self._announce_due = True
        self._announced = 0.0
        self._message_limit: Optional[int] = None
        self._batch_limit: Optional[int] = None  # items
        self._checked = (0, 0)  # classes of a list and tags that were told last
        self._entombed = 0  # highest sequence that was replaced by a tombstone
        self._linger_ms = 0
        self._context = zmq.Context()
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        try:
            self._socket = self._open()
        except zmq.ZMQError as error:
            self._context.destroy(linger=0)
            self._wake_in.close()
            self._wake_out.close()
            raise ValueError(f"endpoint: {settings.endpoint!r}: {error}") from None
        self._thread = threading.Thread(target=self._run, name="detwatch-publisher", daemon=True)
        self._thread.start()

    # Any thread.

    def offer(self, payload: bytes) -> int:
        """Queues one payload and returns its sequence. Blocks only when the window is full and the owner chose
        so. Raises RuntimeError once `stop` was called, also in a call that waits: nothing is taken silently."""
        with self._lock:
            return self._offer(payload)

    def refuse(self, reason: str, detail: str) -> int:
        """Counts a message that breaks a limit the daemon told; a tombstone takes its place."""
        with self._lock:
            sequence = self._offer(_encode.tombstone(reason))
            self._reject(RejectedItem(sequence, reason, detail))
            return sequence

    def _offer(self, payload: bytes) -> int:
        while not self._window.has_room(len(payload)) and not self._over and not self._stopping:
            if self._settings.block:
                self._changed.wait()
            else:
                self._window.drop_oldest()
        if self._stopping:
            raise RuntimeError("the publisher is closed")
        sequence = self._window.push(payload)
        if self._over:
            self._window.drop_all()
        elif self._sleeping:
            self._sleeping = False
            self._wake_in.send(b"!")
        return sequence

    def flush(self, timeout: Optional[float]) -> bool:
        with self._lock:
            target = self._window.last_sequence
            self._changed.wait_for(lambda: self._window.oldest_held > target or self._over, timeout)
            return self._window.oldest_held > target and not self._over

    def stop(self, linger: float) -> None:
        with self._lock:
            self._stopping = True
            self._linger_ms = int(linger * 1000)
            self._changed.notify_all()
            try:
                self._wake_in.send(b"!")
            except OSError:  # the thread has ended already, or its pipe is full
                pass
        self._thread.join()

    def stats(self) -> Stats:
        with self._lock:
            window = self._window
            return Stats(window.sent, window.acknowledged, window.dropped, window.resent, window.pending,
                         dict(self._rejected), tuple(self._recent), self._connected, self._over,
                         window.acknowledged_sequence, self._labels)

    # The link's thread.

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._tick(time.monotonic())
                stuck = self._send_pending()
                self._sleep(stuck)
        except Exception:  # whatever it was, the detector goes on, and the log and the counters tell
            log.exception("detwatch publisher %s stopped", self._settings.name)
            with self._lock:
                self._end()
        finally:
            self._socket.close(linger=self._linger_ms)
            self._context.destroy(linger=self._linger_ms)
            with self._lock:
                self._sleeping = False  # nobody wakes what has ended
                self._wake_in.close()
                self._wake_out.close()

    def _end(self) -> None:
        """Requires: _lock is held."""
        self._over = True
        self._connected = False
        self._window.drop_all()
        self._changed.notify_all()

    def _send_pending(self) -> bool:
        """True when the socket takes no more for now."""
        while self._ready():
            with self._lock:
                item = self._next()
                if item is None:
                    return False
                header = pb.Header(publisher=self._settings.name, epoch=self._epoch, sequence=item.sequence,
                                   oldest_held=self._oldest_held())
                due = self._announce_due
                payload = self._wire_payload(item)
                try:
                    self._socket.send_multipart([header.SerializeToString(), payload], zmq.DONTWAIT, copy=False)
                except zmq.Again:
                    self._announce_due = due
                    return True
                self._window.mark_sent()
                self._on_sent()
        return False

    def _next(self) -> Optional[Item]:
        now = time.monotonic()
        if self._announcements and now - self._announced >= self._settings.timing.announce:
            self._announce_due = True
        if self._announce_due and self._announcements and self._window.all_sent:
            payload = _encode.with_announcements(self._announcements, b"")
            if self._window.has_room(len(payload)):
                self._window.push(payload, announcement=True)
        return self._window.next_to_send()

    def _wire_payload(self, item: Item) -> bytes:
        """The item's payload, with the announcements before it when they are due: they then share its
        sequence and come first even where older messages are sent again to a daemon that never saw them."""
        limit = self._message_limit
        wrong = self._beyond_limit(item)
        if wrong:
            if item.sequence > self._entombed:
                self._entombed = item.sequence
                self._reject(RejectedItem(item.sequence, "oversized", wrong))
            if item.announcement:  # else it is due again at once, and for ever
                self._announce_due = False
                self._announced = time.monotonic()
            return _encode.tombstone("oversized", 0 if item.announcement else 1)
        payload = item.payload
        if self._announce_due:
            if not item.announcement:
                if self._batch_limit is not None and len(self._announcements) + 1 > self._batch_limit:
                    return item.payload
                payload = _encode.with_announcements(self._announcements, item.payload)
                if limit is not None and len(payload) > limit:
                    return item.payload
            self._announce_due = False
            self._announced = time.monotonic()
        return payload

    def _beyond_limit(self, item: Item) -> str:
        """What is too much of an item, if anything. Only announcements are batches."""
        size, items = len(item.payload), len(self._announcements) if item.announcement else 1
        if self._message_limit is not None and size > self._message_limit:
            return f"{size} bytes, the daemon takes {self._message_limit}"
        if self._batch_limit is not None and items > self._batch_limit:
            return f"{items} items of a batch, the daemon takes {self._batch_limit}"
        return ""

    def _reject(self, item: RejectedItem) -> None:
        """Requires: _lock is held."""
        if item.reason not in self._rejected:
            log.warning("detwatch rejects a message of %s: %s (%s); later ones are only counted",
                        self._settings.name, item.reason, item.detail)
        self._rejected[item.reason] = self._rejected.get(item.reason, 0) + 1
        self._recent.append(item)

    def _check_told(self, limits: pb.Limits) -> None:
        """What is announced and the daemon refuses, in the words of the options. A limit of 0 was not told."""
        told = (limits.classes_per_list, limits.tags)
        if told == self._checked:
            return
        self._checked = told
        for name, count in _encode.announced_counts(self._announcements):
            most = limits.classes_per_list if name == "class_names" else limits.tags
            if 0 < most < count:
                log.warning("publisher %s: %s: %d, the daemon takes %d", self._settings.name, name, count, most)

    def _sleep(self, stuck: bool) -> None:
        with self._lock:
            idle = not self._ready() or self._window.next_to_send() is None
            if self._stopping or not (idle or stuck):
                return
            self._sleeping = not stuck
        tick = min(1.0, min(self._settings.timing) / 5)
        self._receive(tick, stuck)
        with self._lock:
            self._sleeping = False
        try:
            self._wake_out.recv(4096)
        except BlockingIOError:
            pass

    # What a transport adds.

    def _open(self) -> zmq.Socket:
        """A connected socket. Raises zmq.ZMQError."""
        raise NotImplementedError

    def _ready(self) -> bool:
        """Messages may be sent."""
        raise NotImplementedError

    def _oldest_held(self) -> int:
        raise NotImplementedError

    def _on_sent(self) -> None:
        """Requires: _lock is held."""
        raise NotImplementedError

    def _receive(self, timeout: float, stuck: bool) -> None:
        """Waits up to `timeout` seconds for the wake pipe or the socket, and takes what came."""
        raise NotImplementedError

    def _tick(self, now: float) -> None:
        """Timers."""


def new_socket(context: zmq.Context, kind: int) -> zmq.Socket:
    """No ZMTP heartbeats: they abort or lose messages in libzmq 4.3.4. TCP keepalive notices dead peers."""
    made = context.socket(kind)
    made.setsockopt(zmq.LINGER, 0)
    made.setsockopt(zmq.TCP_KEEPALIVE, 1)
    made.setsockopt(zmq.TCP_KEEPALIVE_IDLE, 10)
    made.setsockopt(zmq.TCP_KEEPALIVE_INTVL, 5)
    made.setsockopt(zmq.TCP_KEEPALIVE_CNT, 3)
    made.setsockopt(zmq.RECONNECT_IVL, 100)
    made.setsockopt(zmq.RECONNECT_IVL_MAX, 5000)
    made.setsockopt(zmq.IPV6, 1)
    return made
