"""What of two models can be compared, told from their SavedModels' signatures."""

import json

import pytest
import tensorflow_model_analysis as tfma
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import saved_model_pb2

from pipeline.evaluation.comparison import COMPARISON_FILE, compare
from pipeline.evaluation.eval_config import eval_config
from tests.helpers.small_transform import settings_with

KINDS = {"text": (types_pb2.DT_STRING, 1), "number": (types_pb2.DT_FLOAT, 1)}
KINDS["list"] = (types_pb2.DT_STRING, 2)


@pytest.fixture
def model(tmp_path):
    def write(name, tasks, rules=None, **columns):
        message = saved_model_pb2.SavedModel()
        signatures = message.meta_graphs.add().signature_def
        for task in tasks:
            signatures["serving_default"].outputs[task].dtype = types_pb2.DT_FLOAT
        for column, kind in {"user_id": "text", **columns}.items():
            dtype, rank = KINDS[kind]
            info = signatures["predict_raw"].inputs[column]
            info.dtype = dtype
            for _ in range(rank):
                info.tensor_shape.dim.add().size = -1
        folder = tmp_path / name
        (folder / "variables").mkdir(parents=True)
        (folder / "variables" / "variables.index").touch()
        (folder / "saved_model.pb").write_bytes(message.SerializeToString())
        if rules is not None:
            (folder / "assets.extra").mkdir()
            file = folder / "assets.extra" / "label_rules.json"
            file.write_text(json.dumps(rules))
        return str(folder)

    return write


def test_models_of_one_configuration_are_compared_whole(model):
    found = compare(model("new", ["a", "b"]), model("old", ["a", "b"]))
    assert (found.possible, found.new_tasks, found.notes) == (True, (), ())


def test_a_new_task_is_compared_with_nothing_and_a_removed_one_is_fine(model):
    found = compare(model("new", ["a", "b", "c"]), model("old", ["b", "x"]))
    assert found.possible
    assert found.new_tasks == ("a", "c")
    assert len(found.notes) == 2
    assert "no task 'a'" in found.notes[0]


@pytest.mark.parametrize(
    ("new", "old", "notes"),
    [
        ({"a": "x"}, {"a": "x"}, 0),
        ({"a": "x"}, {"a": "y"}, 1),
        ({"a": "x", "b": "y"}, {"a": "y", "b": "x"}, 2),
        ({"a": "x"}, None, 0),  # of a release that did not write them
        ({"a": "x"}, {"b": "y"}, 0),
    ],
)
def test_a_label_of_the_same_name_and_another_rule_is_named(model, new, old, notes):
    found = compare(model("new", ["a", "b"], new), model("old", ["a", "b"], old))
    assert (found.possible, found.new_tasks, len(found.notes)) == (True, (), notes)
    for note in found.notes:
        assert "both are judged by the new label" in note


def test_models_without_a_common_task_are_not_compared(model):
    found = compare(model("new", ["a"]), model("old", ["b"]))
    assert not found.possible
    assert "none of the tasks" in found.notes[0]


@pytest.mark.parametrize(
    ("new", "old", "possible"),
    [
        ({"tab": "text"}, {}, True),
        ({}, {"tab": "text"}, False),
        ({"tab": "number"}, {"tab": "text"}, False),
        ({"tab": "list"}, {"tab": "text"}, False),
    ],
)
def test_the_blessed_model_must_find_what_it_reads(model, new, old, possible):
    found = compare(model("new", ["a"], **new), model("old", ["a"], **old))
    assert found.possible == possible
    assert any("reads tab" in note for note in found.notes) != possible


@pytest.mark.parametrize("lost", ["saved_model.pb", "variables/variables.index"])
def test_a_blessed_model_that_is_gone_is_compared_with_nothing(model, tmp_path, lost):
    new, old = model("new", ["a"]), model("old", ["a"])
    (tmp_path / "old" / lost).unlink()
    found = compare(new, old)
    assert not found.possible
    assert f"is gone ({old})" in found.notes[0]
    assert "compared with nothing" in found.notes[0]


def test_new_tasks_keep_their_floor_and_lose_the_comparison(model, tmp_path):
    config = eval_config(settings_with())
    first, second = (spec.output_names[0] for spec in config.metrics_specs)
    found = compare(model("new", [first, second]), model("old", [first]))
    kept, alone = found.restrict(config).metrics_specs
    assert kept == config.metrics_specs[0]
    assert list(alone.model_names) == [tfma.CANDIDATE_KEY]
    thresholds = [
        part.threshold
        for guard in alone.per_slice_thresholds.values()
        for part in guard.thresholds
    ]
    assert thresholds
    for threshold in thresholds:
        assert threshold.HasField("value_threshold")
        assert not threshold.HasField("change_threshold")
    found.write(str(tmp_path))
    written = json.loads((tmp_path / COMPARISON_FILE).read_text())
    assert written["notes"] == list(found.notes)
