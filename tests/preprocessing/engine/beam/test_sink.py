"""Tables of a pipeline as Parquet files."""

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from preprocessing.engine.beam.sink import WriteTables

pytestmark = pytest.mark.e2e

SCHEMA = pa.schema([pa.field("number", pa.int64(), nullable=False)])


def tables(count):
    return [pa.table([pa.array([i, -i])], schema=SCHEMA) for i in range(count)]


def write(parts, prefix, schema=SCHEMA):
    options = PipelineOptions(["--direct_running_mode=in_memory"])
    with beam.Pipeline(options=options) as pipeline:
        made = pipeline | beam.Create(parts).with_output_types(pa.Table)
        _ = made | WriteTables(str(prefix), schema)


@pytest.mark.parametrize("count", [1, 9])
def test_every_table_is_written_as_a_row_group(count, tmp_path):
    write(tables(count), tmp_path / "part")
    files = [pq.ParquetFile(file) for file in tmp_path.glob("part-*.parquet")]
    assert sum(file.metadata.num_row_groups for file in files) == count
    numbers = [n for file in files for n in file.read()["number"].to_pylist()]
    assert sorted(numbers) == sorted(n for i in range(count) for n in (i, -i))


def test_a_table_of_another_schema_fails_the_run(tmp_path):
    other = pa.table({"text": ["a"]})
    with pytest.raises(Exception, match="schema"):
        write([*tables(2), other, *tables(5)], tmp_path / "part")
    assert not list(tmp_path.glob("part-*.parquet"))
