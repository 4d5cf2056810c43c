"""Results of other libraries, published as they are."""
import subprocess
import sys
import unittest

try:
    import numpy
except ImportError:  # the package does not need it
    numpy = None

from detwatch import adapters
from detwatch.v1 import detwatch_pb2 as pb
from fake_results import BoundingBoxes, Boxes, Detections, GpuTensor, HostArray, Results
from test_encode import Caught

BOXES, SCORES, IDS = [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.5, 8.0]], [0.5, 0.25], [1, 3]
NAMES = {0: "bird", 1: "person", 3: "car"}  # the publisher's are 1 and 3


def kinds():
    """The ways a column may come: as lists, on a graphics card, and as numpy arrays of detectors' usual types."""
    yield list, list
    yield HostArray, HostArray
    yield GpuTensor, GpuTensor
    if numpy is not None:
        yield (lambda values: numpy.array(values, dtype=numpy.float32)), (lambda ids: numpy.array(ids))


def ultralytics(floats=list, boxes=BOXES, scores=SCORES, ids=IDS, names=None, **more):
    # Class ids are a column of the same float tensor.
    columns = Boxes(floats(boxes), floats(scores), floats([float(i) for i in ids]), (480, 640))
    return Results(NAMES if names is None else names, boxes=columns, **more)


class AdapterTest(unittest.TestCase):
    def setUp(self):
        self.publisher = Caught()
        self.addCleanup(self.publisher.close, 0)

    def plain(self, **more):
        self.publisher.predictions("f", BOXES, SCORES, IDS, **more)
        return self.publisher.last

    def taken(self, result, **more):
        self.publisher.predictions("f", result, **more)
        return self.publisher.last

    def plain_labels(self, **more):
        self.publisher.labels("f", BOXES, IDS, **more)
        return self.publisher.last

    def taken_labels(self, truth, **more):
        self.publisher.labels("f", truth, **more)
        return self.publisher.last

    def assert_refused(self, rule, call, *arguments, **options):
        before = len(self.publisher.payloads)
        with self.assertRaisesRegex(ValueError, rule):
            call("f", *arguments, **options)
        self.assertEqual(len(self.publisher.payloads), before)

    # Ultralytics.

    def test_an_ultralytics_result_brings_columns_image_size_and_time(self):
        expected = self.plain(image_size=(640, 480), inference_seconds=0.0125)
        speed = {"preprocess": 2.0, "inference": 12.5, "postprocess": 1.0}
        for floats, _ in kinds():
            self.assertEqual(self.taken(ultralytics(floats, speed=speed)), expected)

    def test_what_the_call_says_wins_over_what_the_result_knows(self):
        result = ultralytics(speed={"inference": 12.5})
        message = self.taken(result, image_size=(64, 48), inference_seconds=0.5)
        self.assertEqual(message, self.plain(image_size=(64, 48), inference_seconds=0.5))

    def test_a_result_that_was_not_timed_says_nothing_of_time(self):
        self.assertEqual(self.taken(ultralytics()).inference_seconds, 0)

    def test_the_publishers_box_format_is_not_the_results(self):
        with Caught(box_format="xywh") as target:
            for result in (ultralytics(), {"boxes": BOXES, "scores": SCORES, "labels": IDS}):
                target.predictions("f", result)
                self.assertEqual(target.last.boxes.format, pb.BOX_FORMAT_XYXY)
        self.assert_refused("^box_format: 'xywh', but the Results is xyxy", self.publisher.predictions,
                            ultralytics(), box_format="xywh")

    def test_columns_are_not_said_twice(self):
        self.assert_refused("^scores: is in the Results", self.publisher.predictions, ultralytics(), SCORES)
        self.assert_refused("^class_ids: is in the Results", self.publisher.predictions, ultralytics(),
                            class_ids=IDS)
        self.assert_refused("^areas: is in the Detections", self.publisher.labels,
                            Detections(BOXES, class_id=IDS), areas=[1, 1])

    def test_no_boxes_are_a_statement_of_every_library(self):
        for floats, ids in kinds():
            for result in (ultralytics(floats, [], [], []), {"boxes": floats([]), "scores": floats([]),
                                                             "labels": ids([])},
                           Detections(floats([]), confidence=floats([]), class_id=ids([])),
                           Detections(floats([]))):
                message = self.taken(result)
                self.assertEqual((len(message.boxes.float_values), len(message.scores)), (0, 0))

    @unittest.skipIf(numpy is None, "python3-numpy is not installed")
    def test_an_empty_array_of_four_columns_is_no_box(self):
        message = self.taken(ultralytics(lambda values: numpy.zeros((0, 4), numpy.float32) if values == [] else
                                         numpy.array(values), [], [], []))
        self.assertEqual(len(message.boxes.float_values), 0)

    def test_what_is_not_upright_boxes_is_refused_by_its_name(self):
        refused = lambda rule, result: self.assert_refused(  # noqa: E731
            rule, self.publisher.predictions, result)
        refused(r"^boxes: the Results has none .*classification", Results(NAMES, probs=object()))
        refused(r"^boxes: the Results has none .*no detector's", Results(NAMES))
        refused(r"^boxes: the Results is of oriented boxes \(obb\)", Results(NAMES, obb=Boxes([], [], [], ())))
        refused(r"^boxes: the Detections is of oriented boxes \(xyxyxyxy\)",
                Detections(BOXES, confidence=SCORES, class_id=IDS, data={"xyxyxyxy": [[[0, 0]] * 4] * 2}))
        refused(r"^boxes: the dict is of oriented boxes \(xywhr\)",
                {"boxes": BoundingBoxes([[1, 2, 3, 4, 5]], "XYWHR", (4, 4)), "scores": [1], "labels": [1]})

    def test_a_model_that_means_another_class_is_refused_by_its_first_id(self):
        names = {1: "dog", 3: "lorry"}
        self.assert_refused("^class_names: id 1 is 'person', and 'dog' to the model", self.publisher.predictions,
                            ultralytics(names=names))
        self.assert_refused("^class_names: id 1 is 'person', and 'dog'", self.publisher.predictions,
                            ultralytics(boxes=[], scores=[], ids=[], names=["bird", "dog"]))
        self.assert_refused("^class_names: id 3 is 'car', and 'lorry'", self.publisher.predictions,
                            Detections(BOXES, confidence=SCORES, class_id=IDS,
                                       data={"class_name": HostArray(["person", "lorry"])}))

    def test_a_name_only_one_side_has_is_no_contradiction(self):
        for names in ({1: "person"}, {7: "cat", 3: "car"}, ["bird", "person"], {}):
            self.assertEqual(list(self.taken(ultralytics(names=names)).class_ids), IDS)
        self.assert_refused(r"^class_ids\[0\]: 0 is not in class_names", self.publisher.predictions,
                            ultralytics(ids=[0, 1]))

    def test_a_list_of_results_is_not_the_result_of_a_frame(self):
        for result in (ultralytics(), {"boxes": BOXES}, Detections(BOXES)):
            self.assert_refused("^boxes: a list of 1 results", self.publisher.predictions, [result])
            self.assert_refused("^boxes: a list of 1 results", self.publisher.labels, (result,))

    # torchvision.

    def test_a_torchvision_prediction_is_its_columns(self):
        expected = self.plain()
        for floats, ids in kinds():
            result = {"boxes": floats(BOXES), "labels": ids(IDS), "scores": floats(SCORES)}
            self.assertEqual(self.taken(result), expected)

    def test_a_torchvision_target_brings_areas_and_crowds(self):
        expected = self.plain_labels(areas=[4.0, 2.5], crowd=[0, 1], source="human")
        for floats, ids in kinds():
            target = {"boxes": floats(BOXES), "labels": ids(IDS), "image_id": 42, "area": floats([4.0, 2.5]),
                      "iscrowd": ids([0, 1])}
            self.assertEqual(self.taken_labels(target, source="human"), expected)
        self.assertEqual(self.taken_labels({"boxes": BOXES, "labels": IDS}), self.plain_labels())

    def test_bounding_boxes_that_know_their_format_are_believed(self):
        boxes = BoundingBoxes([[1.0, 2.0, 2.0, 2.0]], "XYWH", (480, 640))
        message = self.taken_labels({"boxes": boxes, "labels": [1]})
        self.assertEqual((message.boxes.format, message.frame.image_width, message.frame.image_height),
                         (pb.BOX_FORMAT_XYWH, 640, 480))
        self.assert_refused("^box_format: 'xyxy', but the dict is xywh", self.publisher.labels,
                            {"boxes": boxes, "labels": [1]}, box_format="xyxy")

    def test_the_format_of_a_plain_dict_may_be_said(self):
        message = self.taken({"boxes": [[1, 2, 1, 1]], "scores": [1], "labels": [1]}, box_format="xywh")
        self.assertEqual(message.boxes.format, pb.BOX_FORMAT_XYWH)

    # Supervision.

    def test_supervision_detections_are_their_columns(self):
        expected = self.plain()
        for floats, ids in kinds():
            self.assertEqual(self.taken(Detections(floats(BOXES), confidence=floats(SCORES), class_id=ids(IDS),
                                                   data={"class_name": HostArray(["person", "car"])})), expected)

    def test_detections_without_a_column_are_refused_by_its_name(self):
        self.assert_refused("^boxes: the Detections has no confidence", self.publisher.predictions,
                            Detections(BOXES, class_id=IDS))
        self.assert_refused("^boxes: the Detections has no class_id", self.publisher.predictions,
                            Detections(BOXES, confidence=SCORES))
        self.assert_refused("^boxes: the Detections has no class_id", self.publisher.labels, Detections(BOXES))

    def test_supervision_ground_truth_brings_areas_and_crowds(self):
        for floats, ids in kinds():
            truth = Detections(floats(BOXES), class_id=ids(IDS), data={"area": floats([4.0, 2.5]),
                                                                       "iscrowd": ids([0, 1])})
            self.assertEqual(self.taken_labels(truth), self.plain_labels(areas=[4.0, 2.5], crowd=[0, 1]))
        masks = [[[1, 1], [1, 0]], [[0, 1], [0, 0]]]
        self.assertEqual(self.taken_labels(Detections(BOXES, mask=masks, class_id=IDS)),
                         self.plain_labels(areas=[3, 1]))

    # Either.

    def test_predictions_are_the_truth_only_where_a_model_is_said_to_have_made_it(self):
        scored = ({"boxes": BOXES, "labels": IDS, "scores": SCORES}, ultralytics(),
                  Detections(BOXES, confidence=SCORES, class_id=IDS))
        for result in scored:
            self.assert_refused("^source: 'human', but the boxes have scores", self.publisher.labels, result,
                                source="human")
            self.assertEqual(list(self.taken_labels(result, source="auto").class_ids), IDS)

    def test_columns_may_be_changed_before_they_are_published(self):
        result = ultralytics(ids=[11, 13], names={11: "person", 13: "car"}, speed={"inference": 12.5})
        columns = adapters.predictions(result)
        columns["class_ids"] = [int(i) - 10 for i in columns["class_ids"]]
        self.publisher.predictions("f", **columns)
        self.assertEqual(self.publisher.last, self.plain(image_size=(640, 480), inference_seconds=0.0125))
        self.publisher.labels("f", **adapters.labels({"boxes": BOXES, "labels": IDS, "iscrowd": [1, 0]}))
        self.assertEqual(self.publisher.last, self.plain_labels(crowd=[1, 0]))

    def test_an_adapter_says_what_it_cannot_read(self):
        for adapter in (adapters.predictions, adapters.labels):
            with self.assertRaisesRegex(ValueError, "^boxes: list is not Ultralytics'"):
                adapter(BOXES)

    def test_none_of_the_libraries_is_imported(self):
        code = ("import sys, detwatch; print(sorted({'torch', 'torchvision', 'ultralytics', 'supervision', 'numpy'}"
                " & set(sys.modules)))")
        done = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True, timeout=60,
                              check=False)
        self.assertEqual(done.stdout, "[]\n")


if __name__ == "__main__":
    unittest.main()
