import re

import apache_beam as beam
import pyarrow as pa
from apache_beam.pipeline import PipelineVisitor

from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.beam.coder import ArrowTableCoder
from preprocessing.engine.beam.features import BuildFeatures
from preprocessing.engine.beam.outputs import write_rejects
from preprocessing.engine.beam.read_log import ReadImpressions


def test_round_trip_of_a_slice_carries_its_rows_alone():
    table = pa.table({"text": ["long enough " * 5] * 10_000, "lists": [[1]] * 10_000})
    encoded = ArrowTableCoder().encode(table.slice(5, 3))
    assert len(encoded) < 2_000
    assert ArrowTableCoder().decode(encoded).equals(table.slice(5, 3))


def test_an_empty_table_keeps_its_schema():
    schema = pa.schema([pa.field("a", pa.list_(pa.string()), nullable=False)])
    encoded = ArrowTableCoder().encode(schema.empty_table())
    assert ArrowTableCoder().decode(encoded).schema == schema


def test_beam_uses_it_wherever_tables_travel(tmp_path):
    (tmp_path / "log.csv").write_text("user_id,video_id,event_time_ms\na,x,1\n")
    config, source = FeatureConfig(), SourceConfig(format="csv")
    pipeline = beam.Pipeline()
    outputs = (
        pipeline
        | ReadImpressions(source, config, str(tmp_path))
        | BuildFeatures(config)
    )
    write_rejects(outputs, str(tmp_path / "out"))
    coders = {}

    class Visitor(PipelineVisitor):
        def visit_value(self, value, producer):
            coder = beam.coders.registry.get_coder(value.element_type)
            coders[producer.full_label] = str(coder)

    pipeline.visit(Visitor())
    tables = [name for name in coders if _TABLES.search(name)]
    assert len(tables) >= 8
    assert all("ArrowTableCoder" in coders[name] for name in tables), coders


_TABLES = re.compile(
    r"(ReadAndValidate|ReadUserState|Inputs|By(Video|User)|Shards|Features|AllRejects)$"
)


def test_the_size_is_estimated_without_encoding(monkeypatch):
    table = pa.table({"text": ["some text"] * 10_000})
    monkeypatch.setattr(ArrowTableCoder, "encode", None)
    assert 90_000 < ArrowTableCoder().estimate_size(table) < 200_000
    assert ArrowTableCoder().estimate_size(table.slice(0, 10)) < 1_000
