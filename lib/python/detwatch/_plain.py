"""Fire and forget: publish to the daemon's SUB socket. Nothing is acknowledged; the sequence numbers let the
daemon count what never came.

The socket is an XPUB, which speaks PUB on the wire and also hears the subscription: messages wait in the
window until the daemon has subscribed, so the first ones are not lost, and a full socket is seen.
"""
from __future__ import annotations

import zmq

from . import _link

_BOUNDLESS = 2**62


class PlainLink(_link.Link):
    def __init__(self, settings: _link.Settings, announcements) -> None:
        super().__init__(settings, announcements, credit=_BOUNDLESS)

    def _open(self) -> zmq.Socket:
        made = _link.new_socket(self._context, zmq.XPUB)
        # The default of 1000 messages is a tenth of a second of a busy site; beyond it PUB drops silently.
        made.setsockopt(zmq.SNDHWM, max(1000, self._settings.window_bytes // 4096))
        made.setsockopt(zmq.XPUB_NODROP, 1)
        made.setsockopt(zmq.XPUB_VERBOSE, 1)
        made.connect(self._settings.endpoint)
        return made

    def _ready(self) -> bool:
        return self._connected

    def _oldest_held(self) -> int:
        return 0

    def _on_sent(self) -> None:
        self._window.forget_sent()
        self._changed.notify_all()

    def _receive(self, timeout: float, stuck: bool) -> None:
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        if not stuck:
            poller.register(self._wake_out.fileno(), zmq.POLLIN)
        # A full XPUB does not say when it has room again.
        events = dict(poller.poll(1 if stuck else timeout * 1000))
        while self._socket in events:
            try:
                message = self._socket.recv(zmq.DONTWAIT)
            except zmq.Again:
                return
            with self._lock:
                self._connected = message[:1] == b"\x01"
                self._announce_due = True
