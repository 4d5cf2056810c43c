"""Messages by hand: what the publisher libraries refuse to send."""

import itertools
import time

import harness  # noqa: F401  puts the built package on the path
import zmq
from detwatch._encode import class_list_hash
from detwatch.v1 import detwatch_pb2 as pb

CLASSES = [(1, "car"), (2, "dog")]
HASH = class_list_hash(CLASSES)


class Sender:
    """A publisher on the reliable socket that sends any bytes as the next message of its sequence."""

    def __init__(self, endpoint, name):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.SNDTIMEO, 20000)
        self.socket.setsockopt(zmq.SNDHWM, 0)
        self.socket.connect(endpoint)
        self.name = name
        self.epoch = time.time_ns()
        self.sequence = itertools.count(1)
        self.last = 0
        self.acknowledged = 0
        self.rejected = {}
        self.reply = None  # the last one

    def header(self, sequence=None):
        self.last = next(self.sequence) if sequence is None else sequence
        return pb.Header(publisher=self.name, epoch=self.epoch, sequence=self.last,
                         oldest_held=self.acknowledged + 1).SerializeToString()

    def hello(self):
        """Asks where the daemon is; the answer comes with receive()."""
        self.socket.send_multipart([pb.Header(publisher=self.name, epoch=self.epoch,
                                              oldest_held=self.acknowledged + 1).SerializeToString(), b""])

    def ask(self, seconds=20):
        """The answer to a hello."""
        self.reply = None
        deadline = time.monotonic() + seconds
        while self.reply is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name}: no answer")
            self.hello()
            self.receive(500)
        return self.reply

    def send(self, payload):
        data = payload if isinstance(payload, bytes) else payload.SerializeToString()
        self.socket.send_multipart([self.header(), data])

    def send_parts(self, *parts):
        self.socket.send_multipart(list(parts))

    def receive(self, timeout_ms=0):
        """Takes in the replies that are there."""
        while self.socket.poll(timeout_ms):
            reply = pb.Reply.FromString(self.socket.recv_multipart()[-1])
            self.reply = reply
            self.acknowledged = max(self.acknowledged, reply.durable)
            for item in reply.rejected:
                self.rejected[item.reason] = self.rejected.get(item.reason, 0) + 1
            timeout_ms = 0

    def wait_acknowledged(self, seconds=60):
        deadline = time.monotonic() + seconds
        while self.acknowledged < self.last:
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name}: {self.acknowledged} of {self.last} acknowledged")
            self.receive(200)

    def close(self):
        self.socket.close()


def announce(sender, model="good"):
    sender.send(pb.Payload(class_list=pb.ClassList(
        hash=HASH, entries=[pb.ClassEntry(id=key, name=name) for key, name in CLASSES])))
    sender.send(pb.Payload(model_info=pb.ModelInfo(model=model, version="1", class_list_hash=HASH)))


def boxes(values=(10, 10, 50, 50)):
    return pb.Boxes(format=pb.BOX_FORMAT_XYWH, float_values=list(values))


def predictions(frame_id, model="good"):
    """One good detection of class 1."""
    return pb.Payload(predictions=pb.Predictions(frame=pb.FrameRef(frame_id=frame_id), model=model, version="1",
                                                 class_list_hash=HASH, boxes=boxes(), scores=[0.9], class_ids=[1]))


def labels(frame_id, **fields):
    """The object that predictions() finds."""
    fields.setdefault("final", True)
    return pb.Payload(labels=pb.Labels(frame=pb.FrameRef(frame_id=frame_id), class_list_hash=HASH, boxes=boxes(),
                                       class_ids=[1], **fields))


def send_frames(sender, first, last):
    """Predictions and labels of these frames, a true positive each."""
    for number in range(first, last):
        sender.send(predictions(f"frame-{number}"))
        sender.send(labels(f"frame-{number}"))


def broken(change, kind=predictions):
    """A good message of that kind, changed."""
    payload = kind("broken")
    change(payload.predictions if kind is predictions else payload.labels)
    return payload
