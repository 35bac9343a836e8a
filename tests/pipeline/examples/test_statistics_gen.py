import json
import shutil

import pytest
import tensorflow_data_validation as tfdv
import tfx.v1 as tfx
from tfx.types import artifact_utils, standard_artifacts

from pipeline.config import StatisticsPart
from pipeline.examples.statistics import LEFT_OUT
from pipeline.examples.statistics_gen import SAMPLE_FILE, StatisticsGen
from tests.helpers.small_transform import analyzed_rows, settings_with


@pytest.fixture(scope="module")
def statistics(small_transform, tmp_path_factory):
    """Of at most 10 examples of two splits with 25 each."""
    folder = tmp_path_factory.mktemp("statistics_gen")
    examples = standard_artifacts.Examples()
    examples.uri = str(folder / "examples")
    examples.split_names = artifact_utils.encode_split_names(["train", "eval"])
    examples.span = 7
    for split in ("train", "eval"):
        target = artifact_utils.get_split_uri([examples], split)
        shutil.copytree(small_transform.split_dir, target)
    artifact = standard_artifacts.ExampleStatistics()
    artifact.uri = str(folder / "statistics")
    config = settings_with(statistics={"max_examples": 10}).part(StatisticsPart)
    parameters = {"config": config.model_dump_json()}
    channel = tfx.dsl.Channel(type=standard_artifacts.Examples)
    component = StatisticsGen(**parameters, examples=channel)
    component.executor_spec.executor_class().Do(
        {"examples": [examples]}, {"statistics": [artifact]}, parameters
    )
    return artifact


def test_each_split_has_a_file_where_tfx_has_it(statistics):
    assert artifact_utils.decode_split_names(statistics.split_names) == [
        "train",
        "eval",
    ]
    assert statistics.span == 7
    for split in ("train", "eval"):
        folder = artifact_utils.get_split_uri([statistics], split)
        [dataset] = tfdv.load_stats_binary(f"{folder}/FeatureStats.pb").datasets
        assert dataset.num_examples == 10


def test_the_artifact_says_that_it_is_a_sample(statistics):
    with open(f"{statistics.uri}/{SAMPLE_FILE}") as file:
        sample = json.load(file)
    split = {"described": 10, "examples": len(analyzed_rows())}
    assert sample == {
        "splits": {"train": split, "eval": split},
        "left_out": list(LEFT_OUT),
    }
