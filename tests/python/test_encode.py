"""What a call becomes on the wire, and what it refuses. No socket answers here: payloads are caught on their
way to the link."""
import datetime
import struct
import unittest

try:
    import numpy
except ImportError:  # the package does not need it
    numpy = None

import detwatch
from detwatch import _columns, _encode
from detwatch.v1 import detwatch_pb2 as pb


class Caught(detwatch.Publisher):
    """A publisher that keeps what it would send."""

    def __init__(self, **options):
        self.payloads = []
        options.setdefault("model", "m")
        options.setdefault("class_names", {1: "person", 3: "car"})
        super().__init__("tcp://127.0.0.1:9", **options)

    def _publish(self, payload, boxes):
        self.payloads.append(pb.Payload.FromString(payload.SerializeToString()))

    @property
    def last(self):
        payload = self.payloads[-1]
        return getattr(payload, payload.WhichOneof("kind"))


class Tensor:
    """What is known of a torch tensor: detach, then tolist."""

    def __init__(self, values):
        self._values = values
        self.detached = False

    def detach(self):
        copy = Tensor(self._values)
        copy.detached = True
        return copy

    def tolist(self):
        assert self.detached
        return self._values


class EncodeTest(unittest.TestCase):
    def setUp(self):
        self.publisher = Caught(version="7", stream="gate")
        self.addCleanup(self.publisher.close, 0)

    def test_predictions_carry_every_field(self):
        self.publisher.predictions("f1", [[1, 2, 11, 22]], [0.25], [3], capture_time=1.5, image_size=(640, 480),
                                   inference_seconds=0.5)
        self.assertEqual(self.publisher.last, pb.Predictions(
            frame=pb.FrameRef(stream="gate", frame_id="f1", capture_time_ns=1_500_000_000, image_width=640,
                              image_height=480),
            model="m", version="7", class_list_hash=_encode.class_list_hash([(1, "person"), (3, "car")]),
            boxes=pb.Boxes(format=pb.BOX_FORMAT_XYXY, float_values=[1, 2, 11, 22]), scores=[0.25], class_ids=[3],
            inference_seconds=0.5))

    def test_labels_carry_every_field(self):
        self.publisher.labels("f1", [[1, 2, 10, 20]], [1], areas=[150.1], crowd=[True], difficult=[False],
                              source="simulator", sampling="random", revision=2, examined=[3, 1, 3],
                              box_format="xywh", stream="other")
        self.assertEqual(self.publisher.last, pb.Labels(
            frame=pb.FrameRef(stream="other", frame_id="f1"), class_ids=[1], double_areas=[150.1], crowd=[True],
            class_list_hash=_encode.class_list_hash([(1, "person"), (3, "car")]), difficult=[False], partial=True,
            boxes=pb.Boxes(format=pb.BOX_FORMAT_XYWH, float_values=[1, 2, 10, 20]), examined_class_ids=[1, 3],
            source=pb.LABEL_SOURCE_SIMULATOR, sampling=pb.SAMPLING_RANDOM, revision=2, final=True))

    def test_labels_of_people_are_not_final_unless_said(self):
        for source, final, expected in (("human", None, False), ("human", True, True), ("auto", None, True),
                                        ("unknown", None, True), ("unknown", False, False)):
            with self.subTest(source=source, final=final):
                self.publisher.labels("f", [], [], source=source, final=final)
                self.assertEqual(self.publisher.last.final, expected)

    def test_no_boxes_are_a_message_too(self):
        self.publisher.predictions("f1", [], [], [])
        self.assertEqual(self.publisher.last.frame.frame_id, "f1")
        self.assertEqual(len(self.publisher.last.boxes.float_values), 0)

    def test_values_that_do_not_survive_float32_go_as_float64(self):
        self.publisher.predictions("f", [[0.1, 0.2, 10, 20]], [0.5], [1])
        self.assertEqual(list(self.publisher.last.boxes.double_values), [0.1, 0.2, 10, 20])
        self.assertEqual(len(self.publisher.last.boxes.float_values), 0)
        short = struct.unpack("f", struct.pack("f", 0.1))[0]
        self.publisher.predictions("f", [[short, 0.25, 10, 20]], [0.5], [1])
        self.assertEqual(list(self.publisher.last.boxes.float_values), [short, 0.25, 10, 20])

    def test_lists_tuples_tensors_and_dicts_encode_alike(self):
        boxes, scores, ids = [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]], [0.5, 0.25], [1, 3]
        target = self.publisher
        target.predictions("f", boxes, scores, ids)
        target.predictions("f", tuple(map(tuple, boxes)), tuple(scores), tuple(ids))
        target.predictions("f", (row for row in boxes), iter(scores), range(1, 4, 2))
        target.predictions("f", Tensor(boxes), Tensor(scores), Tensor(ids))
        target.predictions("f", [Tensor(row) for row in boxes], scores, [1.0, 3.0])
        target.predictions("f", {"boxes": Tensor(boxes), "scores": Tensor(scores), "labels": Tensor(ids)})
        self.assertEqual([str(payload) for payload in target.payloads], [str(target.payloads[0])] * 6)

    @unittest.skipIf(numpy is None, "python3-numpy is not installed")
    def test_numpy_arrays_encode_like_lists(self):
        boxes, scores, ids = [[1.0, 2.0, 3.5, 4.0]], [0.5], [3]
        target = self.publisher
        target.predictions("f", boxes, scores, ids)
        for real, whole in (("float32", "int64"), ("float64", "uint8"), ("float16", "int32")):
            target.predictions(numpy.str_("f"), numpy.array(boxes, real), numpy.array(scores, real),
                               numpy.array(ids, whole))
        target.predictions("f", numpy.array(boxes), list(numpy.array(scores, "float32")), list(numpy.array(ids)))
        self.assertEqual([str(payload) for payload in target.payloads], [str(target.payloads[0])] * 5)
        target.predictions(numpy.int64(12), numpy.zeros((0, 4)), numpy.zeros(0), numpy.zeros(0, "int64"))
        self.assertEqual(target.last.frame.frame_id, "12")

    def test_a_dict_is_xyxy_whatever_the_default_is(self):
        with Caught(box_format="cxcywh") as target:
            target.predictions("f", {"boxes": [[1, 2, 3, 4]], "scores": [0.5], "labels": [1]})
            self.assertEqual(target.last.boxes.format, pb.BOX_FORMAT_XYXY)
            target.labels("f", {"boxes": [[1, 2, 3, 4]], "labels": [1], "area": [3], "iscrowd": [1]})
            self.assertEqual((list(target.last.float_areas), list(target.last.crowd)), ([3], [True]))
            target.predictions("f", [[1, 2, 3, 4]], [0.5], [1])
            self.assertEqual(target.last.boxes.format, pb.BOX_FORMAT_CXCYWH)

    def test_a_list_of_names_counts_from_zero(self):
        with Caught(class_names=["a", "b"]) as target:
            target.predictions("f", [[0, 0, 1, 1]], [1], [0])
            self.assertEqual(target.last.class_list_hash, _encode.class_list_hash([(0, "a"), (1, "b")]))

    def test_normalized_boxes_say_so(self):
        self.publisher.predictions("f", [[0.25, 0.5, 0.75, 1]], [1], [1], normalized=True, image_size=(64, 32))
        self.assertEqual(self.publisher.last.boxes.unit, pb.BOX_UNIT_NORMALIZED)

    def test_a_datetime_keeps_its_microseconds(self):
        zone = datetime.timezone(datetime.timedelta(hours=2))
        self.publisher.labels("f", [], [], capture_time=datetime.datetime(2024, 5, 1, 2, 0, 0, 123457, zone))
        self.assertEqual(self.publisher.last.frame.capture_time_ns, 1714521600_123457000)

    def test_the_class_list_hash_is_fnv1a_of_ascending_ids(self):
        # The loop is the definition; the empty list is the offset basis.
        self.assertEqual(_encode.class_list_hash([]), 0xCBF29CE484222325)
        value = 0xCBF29CE484222325
        for byte in b"1:a\n2:b\n":
            value = (value ^ byte) * 0x100000001B3 % 2**64
        self.assertEqual(_encode.class_list_hash(_columns.class_entries("c", {2: "b", 1: "a"})), value)

    def test_announcements_describe_class_list_model_and_stream(self):
        with Caught(version="2", stream="s", score_threshold=0.05, max_detections=300, tags={"site": "x"},
                    stream_tags={"lane": "1"}, labels_expected=False) as target:
            names, model, stream = target._announcements
        self.assertEqual([(e.id, e.name) for e in names.class_list.entries], [(1, "person"), (3, "car")])
        self.assertEqual((model.model_info.model, model.model_info.version), ("m", "2"))
        self.assertEqual(model.model_info.max_detections, 300)
        self.assertAlmostEqual(model.model_info.score_threshold, 0.05, places=7)
        self.assertEqual(model.model_info.labels, pb.LABEL_EXPECTATION_NEVER)
        self.assertEqual([(t.key, t.value) for t in model.model_info.tags], [("site", "x")])
        self.assertEqual((stream.stream_info.stream, stream.stream_info.tags[0].key), ("s", "lane"))
        with Caught() as target:
            plain = target._announcements[1].model_info
        self.assertFalse(plain.HasField("score_threshold") or plain.HasField("max_detections"))
        self.assertEqual(len(target._announcements), 2)


class ArgumentTest(unittest.TestCase):
    def setUp(self):
        self.publisher = Caught()
        self.addCleanup(self.publisher.close, 0)

    def assert_refused(self, name, call, *arguments, **options):
        with self.subTest(name, arguments=arguments, options=options):
            with self.assertRaisesRegex(ValueError, "^" + name):
                call(*arguments, **options)
            self.assertEqual(self.publisher.payloads, [])

    def test_bad_columns_name_the_argument(self):
        box = [0, 0, 1, 1]
        nan, inf = float("nan"), float("inf")
        refused = lambda name, *columns, **more: self.assert_refused(  # noqa: E731
            name, self.publisher.predictions, "f", *columns, **more)
        refused(r"boxes\[0\]", [[0, 0, 1]], [1], [1])
        refused(r"boxes\[0\]", [1, 2, 3, 4], [1], [1])
        refused("boxes", "abcd", [1], [1])
        refused("boxes", [["a", 0, 1, 1]], [1], [1])
        refused("boxes", None, [1], [1])
        refused(r"boxes\[2\]", [[0, 0, nan, 1]], [1], [1])
        refused(r"boxes\[1\]", [[0, -inf, 1, 1]], [1], [1])
        refused(r"boxes\[2\]", [[0, 0, 2e9, 1]], [1], [1])
        refused(r"boxes\[1\]: negative", [box, [5, 0, 4, 1]], [1, 1], [1, 1])
        refused(r"boxes\[0\]: negative", [[0, 0, 1, -1]], [1], [1], box_format="xywh")
        refused(r"boxes\[0\]: negative", [[0, 0, -1, 1]], [1], [1], box_format="cxcywh")
        refused("box_format", [box], [1], [1], box_format="ltrb")
        refused("scores: 2 values for 1 boxes", [box], [1, 1], [1])
        refused(r"scores\[0\]", [box], [1.01], [1])
        refused(r"scores\[0\]", [box], [-0.01], [1])
        refused(r"scores\[0\]", [box], [nan], [1])
        refused("scores", [box], [[1]], [1])
        refused("scores", [box], None, [1])
        refused("class_ids: 0 values", [box], [1], [])
        refused(r"class_ids\[0\]: 2 is not in class_names", [box], [1], [2])
        refused(r"class_ids\[0\]", [box], [1], [1.5])
        refused(r"class_ids\[0\]", [box], [1], ["person"])
        refused("boxes: the dict has no 'scores'", {"boxes": [box], "labels": [1]})
        refused("scores: is in the dict", {"boxes": [box], "labels": [1], "scores": [1]}, [1])

    def test_bad_values_name_the_argument(self):
        naive = datetime.datetime(2024, 5, 1)
        refused = lambda name, **more: self.assert_refused(  # noqa: E731
            name, self.publisher.predictions, "f", [], [], [], **more)
        refused("capture_time", capture_time=1_700_000_000_000)  # milliseconds
        refused("capture_time", capture_time=naive)
        refused("capture_time", capture_time=-1)
        refused("capture_time", capture_time=naive.replace(year=1969, tzinfo=datetime.timezone.utc))
        refused(r"image_size\[0\]", image_size=(0, 1))
        refused("image_size", image_size=(1, 2, 3))
        refused("image_size", normalized=True)
        refused("inference_seconds", inference_seconds=-1)
        refused("inference_seconds", inference_seconds=float("nan"))
        refused("stream", stream="x" * 129)

    def test_bad_frame_ids_are_refused(self):
        for name in ("", "x" * 129, "é" * 65, "a\nb", "a\x7f", "\ud800", None, 1.5, b"f", True):
            self.assert_refused("frame_id", self.publisher.predictions, name, [], [], [])
        self.publisher.predictions("é" * 64, [], [], [])
        self.publisher.predictions(42, [], [], [])
        self.assertEqual(self.publisher.last.frame.frame_id, "42")

    def test_bad_labels_name_the_argument(self):
        box = [[0, 0, 1, 1]]
        refused = lambda name, **more: self.assert_refused(  # noqa: E731
            name, self.publisher.labels, "f", box, [1], **more)
        refused("areas: 2 values", areas=[1, 2])
        refused(r"areas\[0\]", areas=[-1])
        refused(r"areas\[0\]", areas=[float("inf")])
        refused("crowd: 0 values", crowd=[])
        refused(r"crowd\[0\]", crowd=[2])
        refused(r"difficult\[0\]", difficult=["yes"])
        refused("source", source="robot")
        refused("sampling", sampling="all")
        refused("revision", revision=-1)
        refused("revision", revision=1.5)
        refused(r"examined\[0\]", examined=[2])
        self.assert_refused("areas: is in the dict", self.publisher.labels, "f", {"boxes": box, "labels": [1]},
                            areas=[1])

    def test_bad_options_name_the_argument(self):
        for name, options in (
                ("class_names", {"class_names": []}), (r"class_names\[1\]", {"class_names": ["a", "a"]}),
                (r"class_names\[0\]", {"class_names": [""]}), ("class_names: id -1", {"class_names": {-1: "a"}}),
                ("class_names", {"class_names": "person"}), ("model", {"model": ""}),
                ("version", {"version": "a\tb"}), ("name", {"name": ""}), ("on_full", {"on_full": "wait"}),
                ("window_bytes", {"window_bytes": 0}), ("box_format", {"box_format": "yolo"}),
                ("score_threshold", {"score_threshold": 2}), ("max_detections", {"max_detections": 0}),
                ("tags", {"tags": {"a-b": "x"}}), (r"tags\[a\]", {"tags": {"a": 1}}),
                ("stream_tags", {"stream_tags": {str(chr(97 + i)): "" for i in range(17)}}),
                ("model", {"model": None, "tags": {"a": "x"}})):
            with self.subTest(options), self.assertRaisesRegex(ValueError, "^" + name):
                Caught(**options)

    def test_a_publisher_without_a_model_takes_labels_only(self):
        with Caught(model=None) as target:
            target.labels("f", [], [])
            with self.assertRaisesRegex(ValueError, "^model"):
                target.predictions("f", [], [], [])


if __name__ == "__main__":
    unittest.main()
