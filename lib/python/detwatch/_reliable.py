"""Acknowledged delivery: a DEALER to the daemon's ROUTER. A message is kept until a checkpoint of the daemon
holds it, so it is counted once through crashes and reconnects on the daemon's side.

After each connection a hello asks what was received; nothing is sent before its answer, because the answer
says where to go on, how many bytes may be under way, and how large a message may be. A hello goes out also
after 5 s without traffic; 15 s without any answer replace the socket.
"""
from __future__ import annotations

import random
import time

import zmq
from zmq.utils.monitor import recv_monitor_message

from . import _link
from ._window import Ack, SendWindow
from .v1 import detwatch_pb2 as pb

_EVENTS = zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED


class ReliableLink(_link.Link):
    def __init__(self, settings: _link.Settings, announcements) -> None:
        self._joined = False    # the connection stands
        self._synced = False    # and a hello on it was answered
        self._asked = False     # nothing was sent since the last hello: its answer tells what is missing
        self._said_hello = self._heard = self._last_sent = time.monotonic()
        self._patience = 0.0
        super().__init__(settings, announcements, credit=SendWindow.FIRST_CREDIT)

    def _open(self) -> zmq.Socket:
        made = _link.new_socket(self._context, zmq.DEALER)
        try:
            self._monitor = made.get_monitor_socket(_EVENTS)
            made.connect(self._settings.endpoint)
        except zmq.ZMQError:
            made.close(linger=0)
            raise
        # Jitter: publishers that lost one daemon do not come back in one instant.
        self._patience = self._settings.timing.silence * random.uniform(1.0, 1.2)
        return made

    def _ready(self) -> bool:
        return self._synced

    def _oldest_held(self) -> int:
        return self._window.oldest_held

    def _on_sent(self) -> None:
        self._last_sent = time.monotonic()
        self._asked = False  # the answer to a hello that went before says nothing about this message

    def _tick(self, now: float) -> None:
        if not self._joined:
            return
        if now - self._heard > self._patience:
            _link.log.warning("detwatch at %s is silent; connecting again", self._settings.endpoint)
            self._set_joined(False)
            self._socket.disable_monitor()
            self._monitor.close(linger=0)
            self._socket.close(linger=0)
            self._socket = self._open()
            return
        hello = self._settings.timing.hello
        idle = now - self._last_sent >= hello
        if now - self._said_hello >= hello and (idle or now - self._heard >= hello):
            # While messages flow an answer lags behind them, and is no sign that they are lost.
            self._hello(now, asked=idle or not self._synced)

    def _hello(self, now: float, asked: bool) -> None:
        header = pb.Header(publisher=self._settings.name, epoch=self._epoch,
                           oldest_held=self._window.oldest_held, store_id=self._window.store_id)
        try:
            self._socket.send_multipart([header.SerializeToString(), b""], zmq.DONTWAIT)
        except zmq.Again:
            return
        self._asked = asked
        self._said_hello = now

    def _set_joined(self, joined: bool) -> None:
        self._joined = joined
        self._synced = False
        with self._lock:
            self._connected = False

    def _receive(self, timeout: float, stuck: bool) -> None:
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN | (zmq.POLLOUT if stuck else 0))
        poller.register(self._monitor, zmq.POLLIN)
        poller.register(self._wake_out.fileno(), zmq.POLLIN)
        events = dict(poller.poll(timeout * 1000))
        if self._monitor in events:
            self._on_connection(recv_monitor_message(self._monitor)["event"])
        while events.get(self._socket, 0) & zmq.POLLIN and not self._over:
            try:
                parts = self._socket.recv_multipart(zmq.DONTWAIT)
            except zmq.Again:
                return
            self._on_reply(parts)

    def _on_connection(self, event: int) -> None:
        self._set_joined(event == zmq.EVENT_HANDSHAKE_SUCCEEDED)
        if self._joined:
            self._heard = time.monotonic()
            self._hello(self._heard, asked=True)

    def _on_reply(self, parts) -> None:
        try:
            reply = pb.Reply.FromString(parts[0])
        except Exception:  # protobuf's DecodeError has moved between versions
            _link.log.warning("detwatch at %s sent an unreadable answer", self._settings.endpoint)
            return
        if reply.publisher != self._settings.name or reply.epoch != self._epoch or not self._joined:
            return
        self._heard = time.monotonic()
        with self._lock:
            if reply.stale_epoch:
                _link.log.error("another publisher named %s started later; this one stops. Give each process "
                                "a name of its own", self._settings.name)
                self._end()
                self._joined = self._synced = False
                return
            self._message_limit = reply.limits.message_bytes or self._message_limit
            self._batch_limit = reply.limits.batch_items or self._batch_limit
            self._check_told(reply.limits)
            self.classes_limit = reply.limits.classes_per_list or self.classes_limit
            self.boxes_limit = reply.limits.boxes_per_frame or self.boxes_limit
            if reply.HasField("labels") or reply.store_id != self._window.store_id:
                self._labels = _link.LabelTally(*(getattr(reply.labels, name)
                                                  for name in _link.LabelTally._fields))
            self._window.on_reply(Ack(reply.store_id, reply.boot_id, reply.received, reply.durable,
                                      reply.credit_bytes, reply.expected), self._heard)
            if self._asked:
                self._window.reconnected()
            self._announce_due |= self._window.repeats or not self._synced
            for item in reply.rejected:
                self._reject(_link.RejectedItem(item.sequence, item.reason, item.detail))
            self._synced = self._connected = True
            self._asked = False
            self._changed.notify_all()
