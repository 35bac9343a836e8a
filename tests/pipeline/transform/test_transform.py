"""The component: its artifacts are where a reader of TFX's Transform looks for them."""

import json
import shutil

import numpy as np
import pytest
import tensorflow_transform as tft
import tfx.v1 as tfx
from google.protobuf import text_format
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import artifact_utils, standard_artifacts

from pipeline.examples.schema import example_schema
from pipeline.training.input.batches import read_batches
from pipeline.transform.transform import Transform
from preprocessing.transform.graph import transform_custom_config
from tests.helpers.small_transform import SETTINGS, analyzed_rows, settings_with


def artifact(kind, folder):
    made = kind()
    made.uri = str(folder)
    return made


@pytest.fixture(scope="module")
def config():
    return settings_with(features={**SETTINGS["features"], "extra": []})


@pytest.fixture(scope="module")
def outputs(config, small_transform, tmp_path_factory):
    folder = tmp_path_factory.mktemp("transform")
    examples = artifact(standard_artifacts.Examples, folder / "examples")
    examples.split_names = artifact_utils.encode_split_names(["train", "eval"])
    for split in ("train", "eval"):
        target = artifact_utils.get_split_uri([examples], split)
        shutil.copytree(small_transform.split_dir, target)
    schema = artifact(standard_artifacts.Schema, folder / "schema")
    (folder / "schema").mkdir()
    (folder / "schema" / "schema.pbtxt").write_text(
        text_format.MessageToString(example_schema(config))
    )
    graph = artifact(standard_artifacts.TransformGraph, folder / "graph")
    transformed = artifact(standard_artifacts.Examples, folder / "transformed")
    custom = json.dumps(transform_custom_config(config.features, config.transform))
    component = Transform(
        custom_config=custom,
        examples=tfx.dsl.Channel(type=standard_artifacts.Examples),
        schema=tfx.dsl.Channel(type=standard_artifacts.Schema),
    )
    context = BaseBeamExecutor.Context(tmp_dir=str(folder / "tmp"), unique_id="1")
    component.executor_spec.executor_class(context).Do(
        {"examples": [examples], "schema": [schema]},
        {"transform_graph": [graph], "transformed_examples": [transformed]},
        {"custom_config": custom},
    )
    return tft.TFTransformOutput(graph.uri), transformed


def test_the_graph_has_metadata_and_vocabularies(outputs, config, small_transform):
    output, _ = outputs
    assert output.raw_metadata.schema == example_schema(config)
    assert {"user_id", "history_tags", "long_view"} <= set(
        output.transformed_feature_spec()
    )
    for table in ("user_id", "video_id", "author_id", "video_tags"):
        known = small_transform.output.vocabulary_by_name(table)
        assert output.vocabulary_by_name(table) == known


def test_every_split_is_transformed_and_read_as_the_trainer_reads_it(
    outputs, small_transform
):
    output, transformed = outputs
    assert transformed.split_names == '["train", "eval"]'
    expected = small_transform.apply(*analyzed_rows())
    for split in ("train", "eval"):
        folder = artifact_utils.get_split_uri([transformed], split)
        [batch] = read_batches([f"{folder}/*"], output, 100)
        for name, tensor in batch.items():
            np.testing.assert_array_equal(tensor, expected[name], name)
