"""Messages that are not acknowledged yet, and which to send next. Pure state: no socket, no clock.

The same rules as lib/delivery/window.h, step by step: with the same boot id only what lies beyond `received` is
sent again, with a new one everything beyond `durable`; a publisher that hears answers but no progress sends
again on its own. tests/delivery/scenarios is played through both.
"""
from __future__ import annotations

from collections import deque
from typing import Deque, NamedTuple, Optional


class Item(NamedTuple):
    sequence: int
    payload: bytes
    announcement: bool  # the publisher's own; left out of what its owner is told


class Ack(NamedTuple):
    """The part of a Reply that moves the window."""
    store_id: str
    boot_id: str
    received: int
    durable: int
    credit_bytes: int
    expected: int


class SendWindow:
    FIRST_CREDIT = 1 << 20  #: bytes that may be under way before the first reply has told the credit
    #: Seconds in which the same `expected` again is the echo of one gap. Doubles with each repetition that
    #: brought nothing, as STALL does: on a slow line they may all still be under way.
    ASK_AGAIN = 1.0
    STALL = 10.0  #: seconds of replies without progress, after which what was sent is gone

    def __init__(self, max_bytes: int, credit: int = FIRST_CREDIT) -> None:
        self._max_bytes = max_bytes
        self._items: Deque[Item] = deque()
        self._sent = 0  # the first `_sent` items are on the wire
        self._sent_high = 0  # highest sequence that ever was
        self._next = 1
        self._in_flight = 0
        self._credit = credit
        self._received = 0  # what the daemon of boot_id is known to have received
        self._told = 0      # `received` of the last reply
        self._asked = 0     # the last `expected` that was followed, and when
        self._asked_at = 0.0
        self._repairs = 0   # rewinds since the last progress
        self._stalled_since: Optional[float] = None  # first reply that showed no progress
        self.bytes = 0
        self.pending = 0  # items held, without announcements
        self.sent = 0
        self.acknowledged = 0
        self.acknowledged_sequence = 0  # highest durable one; rises only
        self.dropped = 0
        self.resent = 0
        self.store_id = ""
        self.boot_id = ""

    @property
    def oldest_held(self) -> int:
        return self._items[0].sequence if self._items else self._next

    @property
    def last_sequence(self) -> int:
        return self._next - 1

    @property
    def items(self) -> int:
        return len(self._items)

    @property
    def repeats(self) -> bool:
        """What goes next was on the wire before."""
        return not self.all_sent and self._items[self._sent].sequence <= self._sent_high

    @property
    def all_sent(self) -> bool:
        return self._sent == len(self._items)

    def has_room(self, size: int) -> bool:
        """The first item always fits, so that a message larger than the window is not stuck for ever."""
        return not self._items or self.bytes + size <= self._max_bytes

    def push(self, payload: bytes, announcement: bool = False) -> int:
        sequence = self._next
        self._next += 1
        self._items.append(Item(sequence, payload, announcement))
        self.bytes += len(payload)
        self.pending += not announcement
        return sequence

    def drop_oldest(self) -> None:
        self.dropped += not self._pop().announcement

    def drop_all(self) -> None:
        while self._items:
            self.drop_oldest()

    def next_to_send(self) -> Optional[Item]:
        """None when everything was sent or the credit is used up. One item may exceed the credit alone."""
        if self.all_sent or self._credit == 0:
            return None
        item = self._items[self._sent]
        if self._sent and self._in_flight + len(item.payload) > self._credit:
            return None
        return item

    def mark_sent(self) -> None:
        item = self._items[self._sent]
        self._sent += 1
        self._in_flight += len(item.payload)
        if item.sequence > self._sent_high:
            self._sent_high = item.sequence
            self.sent += not item.announcement
        else:
            self.resent += not item.announcement

    def forget_sent(self) -> None:
        """Lets go of what was sent: nobody will acknowledge it. Requires: the oldest item was sent."""
        self._pop()

    def on_reply(self, ack: Ack, now: float) -> None:
        """`now`: seconds of any clock, which may be set back."""
        new_state = bool(self.boot_id) and (ack.boot_id, ack.store_id) != (self.boot_id, self.store_id)
        self.store_id, self.boot_id, self._credit = ack.store_id, ack.boot_id, ack.credit_bytes
        # A daemon cannot have what was never sent; were it believed, that would be given up as acknowledged.
        durable = min(ack.durable, self._sent_high)
        self.acknowledged_sequence = max(self.acknowledged_sequence, durable)
        while self._items and self._items[0].sequence <= durable:
            self.acknowledged += not self._pop().announcement
        self._told = min(ack.received, self._sent_high)
        if new_state:
            self._received = self._told
            self._progress()
            self._set_sent(0)
            return
        if self._told > self._received:
            self._received = self._told
            self._progress()
        self._set_sent(max(self._sent, self._count_up_to(self._received)))
        if ack.expected:
            self._on_expected(ack.expected, now)
        self._repair_stall(now)

    def reconnected(self) -> None:
        """The last reply answers for all that was sent before: what it does not call received goes out again."""
        # Less than before, from the same boot: the daemon has forgotten us and begun a new row.
        self._received = min(self._received, self._told)
        self._set_sent(min(self._sent, self._count_up_to(self._received)))
        self._progress()

    def _on_expected(self, expected: int, now: float) -> None:
        # What was under way when the gap was noticed brings the same request again until the repetition has
        # arrived; sending everything again each time would feed the fire.
        if expected == self._asked and 0 <= now - self._asked_at < self._wait(self.ASK_AGAIN):
            return
        self._repairs = self._repairs + 1 if expected == self._asked else 0
        self._asked, self._asked_at = expected, now
        self._stalled_since = None
        self._received = min(expected - 1, self._sent_high)
        self._set_sent(min(self._sent, self._count_up_to(self._received)))

    def _repair_stall(self, now: float) -> None:
        known = self._count_up_to(self._received)
        if self._sent <= known:
            self._stalled_since = None
        elif self._stalled_since is None or now < self._stalled_since:
            self._stalled_since = now
        elif now - self._stalled_since >= self._wait(self.STALL):
            self._set_sent(known)
            self._stalled_since = None
            self._repairs += 1

    def _wait(self, first: float) -> float:
        return first * (1 << min(self._repairs, 6))

    def _progress(self) -> None:
        self._stalled_since = None
        self._asked = self._repairs = 0

    def _count_up_to(self, sequence: int) -> int:
        """How many held items have a sequence up to this one; they have no holes."""
        return max(0, min(sequence - self.oldest_held + 1, len(self._items)))

    def _set_sent(self, sent: int) -> None:
        for index in range(self._sent, sent):
            self._in_flight += len(self._items[index].payload)
        for index in range(sent, self._sent):
            self._in_flight -= len(self._items[index].payload)
        self._sent = sent

    def _pop(self) -> Item:
        item = self._items.popleft()
        self.bytes -= len(item.payload)
        self.pending -= not item.announcement
        if self._sent:
            self._sent -= 1
            self._in_flight -= len(item.payload)
        return item
