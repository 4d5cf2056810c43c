"""Publish what an object detector predicted, and what was really there, to a detwatch daemon.

::

    import detwatch

    with detwatch.Publisher("tcp://127.0.0.1:5557", model="yolo", stream="gate-3",
                            class_names=["person", "car"]) as publisher:
        publisher.predictions("frame-1", boxes=[[10, 20, 110, 220]], scores=[0.9], class_ids=[0])
        publisher.labels("frame-1", boxes=[[12, 18, 108, 224]], class_ids=[0], source="human")

or, from a loop around a detector, with its result as it is (Ultralytics, torchvision, Supervision)::

        publisher.predictions(frame_id, model(image)[0])

Needs python3-zmq and python3-protobuf; numpy arrays and tensors are taken, numpy itself is not needed.
"""
from . import adapters
from ._link import LabelTally, RejectedItem, Stats
from .publisher import Publisher

__all__ = ["LabelTally", "Publisher", "RejectedItem", "Stats", "adapters"]
