import pytest
import tensorflow as tf

from serving.export.signatures import RawColumn
from serving.export.warmup import write_warmup_requests
from serving.protocol.warmup_file import MAX_WARMUP_REQUESTS, WARMUP_FILE

COLUMNS = [RawColumn("user_id", tf.string, "required", candidate=False)]


def write(folder, count):
    write_warmup_requests(
        str(folder), COLUMNS, "ranker", max_candidates=4, count=count, known_values={}
    )


def test_no_more_are_written_than_tensorflow_serving_reads(tmp_path):
    with pytest.raises(ValueError, match=f"at most {MAX_WARMUP_REQUESTS}.*1001"):
        write(tmp_path, MAX_WARMUP_REQUESTS + 1)
    write(tmp_path, 7)
    records = list(tf.data.TFRecordDataset(str(tmp_path / WARMUP_FILE)))
    assert len(records) == 7


def test_none_leave_no_file(tmp_path):
    write(tmp_path, 0)
    assert not list(tmp_path.iterdir())
