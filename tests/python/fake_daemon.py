"""A daemon in miniature: both sockets, sequences and acknowledgements, and knobs for everything that can go
wrong. It runs in a thread of its own; tests look at `frames` and wait with `until`."""
from __future__ import annotations

import threading
import time
import uuid

import zmq

from detwatch.v1 import detwatch_pb2 as pb


def until(condition, seconds: float = 10.0) -> bool:
    """Polls with a deadline; a passing test never waits for it."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


class Books:
    """What survives a restart of the daemon: the store."""

    def __init__(self) -> None:
        self.store_id = uuid.uuid4().hex
        self.durable: dict = {}  # (publisher, epoch) -> sequence


class FakeDaemon:
    def __init__(self, endpoint: str = "tcp://127.0.0.1:*", books: Books = None, *, durable: bool = True,
                 credit: int = 1 << 30, limits: dict = None, lose: int = 0, mute: bool = False,
                 reject: dict = None) -> None:
        self.books = books or Books()
        self.boot_id = uuid.uuid4().hex
        self.durable = durable          # acknowledge at once
        self.durable_up_to = 1 << 62    # but no sequence beyond
        self.tally: pb.LabelTally = None  # what becomes of labels
        self.credit = credit
        self.limits = limits or {}
        self.lose = lose                # messages that vanish as if a connection had broken
        self.mute = mute                # says nothing at all
        self.stale = False
        self.hellos_wait_for_data = False  # whose own answer then fails to come
        self._late_answer: list = []
        self.reject = reject or {}      # frame_id -> reason
        self.headers: list = []         # of every message that came, hellos too
        self.frames: list = []          # (kind, message) of every item taken, in order
        self.lost = 0
        self.in_flight_high = 0         # most bytes not durable at once
        self._bytes: dict = {}
        self._received: dict = dict(self.books.durable)
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.LINGER, 0)
        until(lambda: self._bind(endpoint))
        self.endpoint = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _bind(self, endpoint: str) -> bool:
        try:
            self._socket.bind(endpoint)
        except zmq.ZMQError:  # the socket of the run before is still closing
            return False
        return True

    def __enter__(self) -> "FakeDaemon":
        return self

    def __exit__(self, *_) -> None:
        self.kill()

    def kill(self) -> None:
        self._stop.set()
        self._thread.join()

    def hellos(self) -> int:
        return sum(header.sequence == 0 for header in list(self.headers))

    def items(self, kind: str) -> list:
        return [message for name, message in list(self.frames) if name == kind]

    def frame_ids(self) -> list:
        return [message.frame.frame_id for name, message in list(self.frames) if name in ("predictions", "labels")]

    def data_headers(self) -> list:
        return [header for header in list(self.headers) if header.sequence]

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                if self._socket.poll(5):
                    peer, first, second = self._socket.recv_multipart()
                    self._on_message(peer, pb.Header.FromString(first), second)
        finally:
            self._socket.close(linger=0)
            self._context.term()

    def _on_message(self, peer: bytes, header: pb.Header, payload: bytes) -> None:
        if header.sequence and self.lose:
            self.lose -= 1
            return
        self.headers.append(header)
        key = (header.publisher, header.epoch)
        received = self._received.setdefault(key, 0)
        reply = pb.Reply()
        if header.sequence:
            if header.oldest_held > received + 1:
                self.lost += header.oldest_held - received - 1
                received = header.oldest_held - 1
            if header.sequence > received + 1:
                reply.expected = received + 1
            elif header.sequence == received + 1:
                received = header.sequence
                self._bytes[header.sequence] = len(payload)
                self._take(header.sequence, pb.Payload.FromString(payload), reply)
        self._received[key] = received
        if self.durable:
            self.books.durable[key] = min(received, self.durable_up_to)
        held = [size for sequence, size in self._bytes.items() if sequence > self.books.durable.get(key, 0)]
        self.in_flight_high = max(self.in_flight_high, sum(held))
        if not self.mute:
            self._answer(peer, header, reply)

    def _answer(self, peer: bytes, header: pb.Header, reply: pb.Reply) -> None:
        key = (header.publisher, header.epoch)
        reply.publisher, reply.epoch = key
        reply.store_id, reply.boot_id = self.books.store_id, self.boot_id
        reply.received = self._received[key]
        reply.durable = self.books.durable.get(key, 0)
        reply.credit_bytes = self.credit
        reply.stale_epoch = self.stale
        if self.tally is not None:
            reply.labels.CopyFrom(self.tally)
        for name, value in self.limits.items():
            setattr(reply.limits, name, value)
        answer = [peer, reply.SerializeToString()]
        if self.hellos_wait_for_data:
            answer, self._late_answer = self._late_answer, answer
            if not header.sequence:
                return
        self._socket.send_multipart(answer)

    def _take(self, sequence: int, payload: pb.Payload, reply: pb.Reply) -> None:
        kind = payload.WhichOneof("kind")
        if kind == "batch":
            if len(payload.batch.items) > self.limits.get("batch_items", 10000):
                reply.rejected.add(sequence=sequence, reason="oversized", detail="batch.items")
                return
            for item in payload.batch.items:
                assert item.WhichOneof("kind") != "batch"
                self._take(sequence, item, reply)
            return
        message = getattr(payload, kind)
        reason = self.reject.get(message.frame.frame_id) if kind in ("predictions", "labels") else None
        if reason:
            reply.rejected.add(sequence=sequence, reason=reason, detail="frame " + message.frame.frame_id)
        else:
            self.frames.append((kind, message))


class FakeSubscriber:
    """The daemon's SUB socket."""

    def __init__(self, endpoint: str = "tcp://127.0.0.1:*") -> None:
        self._context = zmq.Context()
        self.socket = self._context.socket(zmq.SUB)
        self.socket.setsockopt(zmq.RCVHWM, 0)
        self.socket.subscribe(b"")
        self.socket.bind(endpoint)
        self.endpoint = self.socket.getsockopt_string(zmq.LAST_ENDPOINT)

    def __enter__(self) -> "FakeSubscriber":
        return self

    def __exit__(self, *_) -> None:
        self.socket.close(linger=0)
        self._context.term()

    def receive(self, milliseconds: int = 10000):
        if not self.socket.poll(milliseconds):
            return None
        header, payload = self.socket.recv_multipart()
        return pb.Header.FromString(header), pb.Payload.FromString(payload)
