"""What Ultralytics, torchvision and Supervision hand out, with the attributes their documentation names and
nothing else, over columns of any kind."""
from __future__ import annotations


class GpuTensor:
    """A tensor of the strictest kind: nothing reads it before detach, cpu and numpy, in this order."""

    def __init__(self, values, steps=("detach", "cpu", "numpy")):
        self._values, self._steps = values, steps

    def _step(self, name):
        assert self._steps[0] == name, f"{name} where {self._steps[0]} is due"
        return GpuTensor(self._values, self._steps[1:])

    def detach(self):
        return self._step("detach")

    def cpu(self):
        return self._step("cpu")

    def numpy(self):
        self._step("numpy")
        return HostArray(self._values)

    def __len__(self):
        return len(self._values)


class HostArray:
    def __init__(self, values):
        self._values = values

    def __len__(self):
        return len(self._values)

    def tolist(self):
        return self._values


class Boxes:
    """ultralytics.engine.results.Boxes; also holds the columns of an OBB."""

    def __init__(self, xyxy, conf, cls, orig_shape):
        self.xyxy, self.conf, self.cls = xyxy, conf, cls
        self.id = None
        self.orig_shape = orig_shape


class Results:
    """ultralytics.engine.results.Results."""

    def __init__(self, names, boxes=None, probs=None, obb=None, orig_shape=(480, 640), speed=None):
        self.orig_shape = orig_shape  # height, width
        self.boxes, self.probs, self.obb = boxes, probs, obb
        self.masks = self.keypoints = None
        self.speed = speed or {"preprocess": None, "inference": None, "postprocess": None}  # ms
        self.names = names
        self.path = "image0.jpg"


class Detections:
    """supervision.Detections."""

    def __init__(self, xyxy, mask=None, confidence=None, class_id=None, data=None):
        self.xyxy, self.mask, self.confidence, self.class_id = xyxy, mask, confidence, class_id
        self.tracker_id = None
        self.data = data or {}
        self.metadata = {}

    def __len__(self):
        return len(self.xyxy)

    def __iter__(self):
        raise AssertionError("rows are no columns")

    @property
    def area(self):
        """Pixels of each mask, here given as rows of 0 and 1."""
        return [sum(map(sum, mask)) for mask in self.mask]


class BoundingBoxFormat:
    def __init__(self, value):
        self.value = value


class BoundingBoxes:
    """torchvision.tv_tensors.BoundingBoxes."""

    def __init__(self, values, form, canvas_size):
        self._values = values
        self.format = BoundingBoxFormat(form)
        self.canvas_size = canvas_size  # height, width

    def detach(self):
        return HostArray(self._values)
