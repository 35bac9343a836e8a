"""Threads and Beam make the same examples, rejects and state of a log."""

import json
from collections import Counter
from itertools import pairwise

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from apache_beam.testing import test_pipeline
from apache_beam.testing.util import assert_that, equal_to
from tfx.components.util import examples_utils
from tfx.types import artifact_utils, standard_artifacts
from tfx_bsl.public import tfxio

from pipeline.config import LogConfig
from pipeline.examples.example_files import serialized_batches
from pipeline.examples.example_gen import ImpressionExampleGen
from pipeline.examples.executor import Executor
from pipeline.examples.places import SUMMARY_FILE
from preprocessing.arrays.days import MS_PER_DAY
from preprocessing.state.files import open_state

pytestmark = pytest.mark.e2e

FIRST_DAY, DAYS, ROWS = 19_000, 4, 3000


def log_config(engine, **split):
    return LogConfig.model_validate(
        {
            "source": {"format": "parquet"},
            "features": {
                "labels": {"long_view": {"rule": "long_view"}},
                "shards": 5,
                "time_zone": "Asia/Shanghai",
            },
            "split": {"train_days": 2, "eval_days": 1, **split},
            "examples": {"engine": engine},
        }
    )


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """Four days of 90 users, with duplicates, nulls and broken rows."""
    random = np.random.default_rng(3)
    folder = tmp_path_factory.mktemp("log")
    users = random.integers(90, size=ROWS)
    videos = random.integers(200, size=ROWS)
    times = FIRST_DAY * MS_PER_DAY + random.integers(DAYS * MS_PER_DAY, size=ROWS)
    upload = pa.array(times - 5, mask=random.random(ROWS) < 0.3)
    durations = np.where(random.random(ROWS) < 0.01, -1, 900)
    table = pa.table(
        {
            "user_id": [f"u{user}" for user in users],
            "video_id": [f"v{video}" for video in videos],
            "event_time_ms": times,
            "play_time_ms": random.integers(900, size=ROWS),
            "video_duration_ms": durations,
            "video_upload_ms": upload,
            "video_tags": [[f"t{v % 7}", "é"][: v % 3] for v in videos],
        }
    )
    pq.write_table(pa.concat_tables([table, table.slice(0, 20)]), folder / "a.parquet")
    return folder


@pytest.fixture
def make(log, tmp_path):
    def do(name, config, **days):
        folder = tmp_path / name
        component = ImpressionExampleGen(
            str(log), config.model_dump_json(), str(folder / "rejects"), **days
        )
        artifact = standard_artifacts.Examples()
        artifact.uri = str(folder / "examples")
        Executor().Do({}, {"examples": [artifact]}, dict(component.exec_properties))
        return folder, artifact

    return do


def examples_of(folder, split):
    batches = serialized_batches(str(folder / "examples" / f"Split-{split}"))
    return [example for batch in batches for example in batch.numpy()]


def rejects_of(folder):
    rows = pq.read_table(sorted((folder / "rejects").glob("*.parquet"))).to_pylist()
    return sorted(map(str, rows))


def state_of(folder, config):
    state = open_state(str(folder / "examples"), config.features)
    rows = [str(r) for f in state.files for r in pq.read_table(f.path).to_pylist()]
    return state.info, sorted(rows)


@pytest.mark.parametrize(
    ("split", "days"),
    [
        ({}, {}),
        ({"by": "user", "train_user_share": 0.6}, {}),
        ({}, {"last_day": "2022-01-10"}),
    ],
)
def test_both_make_the_same_of_a_log(make, split, days):
    made = {}
    for engine in ("threads", "beam"):
        config = log_config(engine, **split)
        folder, artifact = make(engine, config, **days)
        made[engine] = {
            "train": sorted(examples_of(folder, "train")),
            "eval": sorted(examples_of(folder, "eval")),
            "rejects": rejects_of(folder),
            "state": state_of(folder, config),
            "summary": json.loads((folder / "examples" / SUMMARY_FILE).read_text()),
            "artifact": (
                artifact_utils.decode_split_names(artifact.split_names),
                examples_utils.get_payload_format(artifact),
                examples_utils.get_file_format(artifact),
            ),
        }
    assert made["threads"] == made["beam"]
    assert len(made["beam"]["train"]) > 500
    assert len(made["beam"]["rejects"]) > 20


def test_neither_threads_nor_files_change_the_order(make, monkeypatch):
    def run(cores):
        monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(cores)))
        folder, _ = make(f"{cores}-cores", log_config("threads"))
        files = list((folder / "examples").glob("Split-*/*"))
        return len(files), examples_of(folder, "train"), examples_of(folder, "eval")

    monkeypatch.setattr("pipeline.examples.split_files._LEAST_ROWS", 100)
    files, *examples = run(1)
    many_files, *same = run(4)
    assert files == 3
    assert many_files >= 9
    assert examples == same


def test_examples_of_a_user_do_not_lie_together(make):
    folder, _ = make("made", log_config("threads"))
    for split in ("train", "eval"):
        users = [
            tf.train.Example.FromString(example)
            .features.feature["user_id"]
            .bytes_list.value[0]
            for example in examples_of(folder, split)
        ]
        together = sum(one == next_one for one, next_one in pairwise(users))
        rows = max(Counter(users).values())
        assert rows > 5
        assert together < len(users) * 0.15


def test_files_are_named_by_day_and_tfx_reads_them(make):
    folder, _ = make("made", log_config("threads"))
    place = folder / "examples" / "Split-train"
    assert sorted(path.name for path in place.iterdir()) == [
        "examples-2022-01-10-00000-of-00001.gz",
        "examples-2022-01-11-00000-of-00001.gz",
    ]
    expected = len(examples_of(folder, "train"))
    source = tfxio.TFExampleRecord(file_pattern=[str(place / "*")])
    with test_pipeline.TestPipeline() as pipeline:
        rows = (
            pipeline
            | source.BeamSource(batch_size=100)
            | beam.Map(lambda batch: batch.num_rows)
            | beam.CombineGlobally(sum)
        )
        assert_that(rows, equal_to([expected]))
