"""Messages that are not acknowledged yet, and which to send next. Pure state: no socket, no clock.

The same rules as lib/delivery/window.h: with the same boot id only what lies beyond `received` is sent
again, with a new one everything beyond `durable`. Laws: nothing unacknowledged is forgotten; what was
dropped is what `oldest_held` says.
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
    def __init__(self, max_bytes: int, credit: int = 0) -> None:
        self._max_bytes = max_bytes
        self._items: Deque[Item] = deque()
        self._sent = 0  # the first `_sent` items are on the wire
        self._sent_high = 0  # highest sequence that ever was
        self._next = 1
        self._in_flight = 0
        self._credit = credit  # nothing is sent before the first answer tells it
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
        if self._in_flight and self._in_flight + len(item.payload) > self._credit:
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

    def on_reply(self, ack: Ack, *, synchronise: bool) -> bool:
        """`synchronise`: everything sent before was answered, so what is not `received` is gone.

        True when something will be sent again.
        """
        new_boot = ack.boot_id != self.boot_id
        self.store_id, self.boot_id, self._credit = ack.store_id, ack.boot_id, ack.credit_bytes
        durable = min(ack.durable, self._sent_high)
        self.acknowledged_sequence = max(self.acknowledged_sequence, durable)
        while self._items and self._items[0].sequence <= durable:
            self.acknowledged += not self._pop().announcement
        if new_boot:
            return self._rewind(ack.durable + 1)
        if synchronise:
            return self._rewind(ack.received + 1)
        return bool(ack.expected) and self._rewind(ack.expected)

    def _rewind(self, sequence: int) -> bool:
        keep = max(0, sequence - self.oldest_held)
        if keep >= self._sent:
            return False
        for index in range(keep, self._sent):
            self._in_flight -= len(self._items[index].payload)
        self._sent = keep
        return True

    def _pop(self) -> Item:
        item = self._items.popleft()
        self.bytes -= len(item.payload)
        self.pending -= not item.announcement
        if self._sent:
            self._sent -= 1
            self._in_flight -= len(item.payload)
        return item
