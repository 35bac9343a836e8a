"""The request log by itself: what is drawn, written, dropped and counted."""

import threading

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from serving.protocol.tensor_proto import read_tensor
from serving.server.metrics import ServingMetrics
from serving.server.request_log.log_files import LogFiles
from serving.server.request_log.request_log import (
    AnsweredRequest,
    LogLimits,
    RequestLog,
    request_log_of,
)
from serving.server.settings.server_options import ServerOptions


def request(number=0, **inputs):
    given = inputs or {"x": np.array([[number]], np.int64)}
    return AnsweredRequest("ranker", 7, "rank", given, ["y"])


def texts(*values):
    return np.array([value.encode() for value in values], object)


def finished(folder):
    return sorted(folder.glob("*.tfrecord")) if folder.is_dir() else []


def logs_in(folder):
    records = tf.data.TFRecordDataset([str(path) for path in finished(folder)])
    return [
        prediction_log_pb2.PredictionLog.FromString(record)
        for record in records.as_numpy_iterator()
    ]


def numbers_in(folder):
    return [log.predict_log.request.inputs["x"].int64_val[0] for log in logs_in(folder)]


class Counts:
    """A log's metrics."""

    def __init__(self):
        self.metrics = ServingMetrics()

    def __call__(self, name, **labels):
        return self.metrics.registry.get_sample_value(f"poso_{name}_total", labels)

    @property
    def logged(self):
        return self("request_log_requests")

    def dropped(self, reason):
        return self("request_log_dropped", reason=reason)


@pytest.fixture
def counts():
    return Counts()


@pytest.fixture
def held(monkeypatch):
    """The writer waits at its first record until it is let go."""
    begun, let_go = threading.Event(), threading.Event()
    write = LogFiles.write

    def wait(self, record):
        begun.set()
        assert let_go.wait(30)
        write(self, record)

    monkeypatch.setattr(LogFiles, "write", wait)
    yield begun, let_go
    let_go.set()


def test_a_record_is_the_whole_request(tmp_path, counts):
    inputs = {
        "text": texts("a", ""),
        "float": np.array([1.5, np.nan], np.float32),
        "tags": np.array([[b"x", b"y"], [b"", b""]], object),
        "none": np.zeros([0], np.int64),
    }
    log = RequestLog(tmp_path / "new" / "log", 1, counts.metrics)
    log.offer(request(**inputs), 100)
    log.close()
    [record] = logs_in(tmp_path / "new" / "log")
    assert record.log_metadata.sampling_config.sampling_rate == 1
    answered_by = record.log_metadata.model_spec
    assert (answered_by.name, answered_by.version.value) == ("ranker", 7)
    assert answered_by.signature_name == "rank"
    message = record.predict_log.request
    assert (message.model_spec.name, message.model_spec.signature_name) == (
        "ranker",
        "rank",
    )
    assert list(message.output_filter) == ["y"]
    assert set(message.inputs) == set(inputs)
    for name, array in inputs.items():
        read = read_tensor(name, message.inputs[name])
        assert read.dtype == array.dtype
        np.testing.assert_array_equal(read, array)
    assert (counts.logged, counts.dropped("queue"), counts.dropped("disk")) == (1, 0, 0)


def test_about_the_share_is_drawn(tmp_path, counts):
    log = RequestLog(tmp_path, 0.25, counts.metrics)
    for number in range(2000):
        log.offer(request(number), 1)
    log.close()
    deviation = (2000 * 0.25 * 0.75) ** 0.5
    assert abs(counts.logged - 500) < 6 * deviation
    drawn = numbers_in(tmp_path)
    assert len(drawn) == counts.logged
    assert drawn == sorted(drawn)
    assert len(np.unique(np.diff(drawn))) > 2  # at random, not each fourth


@pytest.mark.parametrize("options", [{}, {"request_log_share": 0.0}])
def test_without_folder_or_share_there_is_no_log(tmp_path, counts, options):
    folder = {"request_log": tmp_path} if options else {}
    assert request_log_of(ServerOptions(**folder, **options), counts.metrics) is None


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_is_from_0_to_1(share):
    with pytest.raises(ValueError, match="request_log_share must be from 0 to 1"):
        ServerOptions(request_log_share=share)


def test_a_file_that_is_not_whole_has_another_name(tmp_path, counts):
    limits = LogLimits(file_bytes=1)
    files = LogFiles(tmp_path, limits.file_bytes, limits.file_s)
    files.write(b"record")
    [path] = tmp_path.iterdir()
    assert path.name.endswith(".tfrecord.unfinished")
    assert finished(tmp_path) == []
    assert files.is_due
    assert files.finish() == 1
    assert [path.suffix for path in tmp_path.iterdir()] == [".tfrecord"]


@pytest.mark.parametrize("limits", [LogLimits(file_bytes=1), LogLimits(file_s=0)])
def test_files_are_finished_by_size_or_age(tmp_path, counts, limits):
    log = RequestLog(tmp_path, 1, counts.metrics, limits)
    for number in range(3):
        log.offer(request(number), 1)
    log.close()
    assert len(finished(tmp_path)) == 3
    assert numbers_in(tmp_path) == [0, 1, 2]  # names sort by time


def test_a_file_whose_time_is_over_is_finished_without_a_further_request(
    tmp_path, counts, monkeypatch
):
    done, finish = threading.Event(), LogFiles.finish

    def tell(self):
        found = finish(self)
        done.set()
        return found

    monkeypatch.setattr(LogFiles, "finish", tell)
    log = RequestLog(tmp_path, 1, counts.metrics, LogLimits(file_s=0.05))
    log.offer(request(), 1)
    assert done.wait(30)
    assert len(finished(tmp_path)) == 1
    log.close()


def test_what_does_not_fit_the_queue_is_dropped_and_told_once(
    tmp_path, counts, held, caplog
):
    begun, let_go = held
    limits = LogLimits(waiting_bytes=10)
    log = RequestLog(tmp_path, 1, counts.metrics, limits)
    log.offer(request(0), 4)
    assert begun.wait(30)
    for number in range(1, 6):
        log.offer(request(number), 4)  # the writer's counts as waiting
    assert counts.dropped("queue") == 4
    let_go.set()
    log.close()
    assert numbers_in(tmp_path) == [0, 1]
    assert counts.logged == 2
    [line] = [record.getMessage() for record in caplog.records]
    assert str(tmp_path) in line
    assert "faster than they are written" in line


def test_a_folder_that_cannot_be_made_drops_all_and_is_told_once(
    tmp_path, counts, caplog
):
    (tmp_path / "file").touch()
    log = RequestLog(tmp_path / "file" / "log", 1, counts.metrics)
    for number in range(5):
        log.offer(request(number), 1)
    log.close()
    assert counts.dropped("disk") == 5
    assert counts.logged == 0
    [line] = [record.getMessage() for record in caplog.records]
    assert "Not a directory" in line


def test_a_file_that_is_lost_counts_whole_and_the_next_is_written(tmp_path, counts):
    folder = tmp_path / "log"
    limits = LogLimits(retry_s=0)
    log = RequestLog(folder, 1, counts.metrics, limits)
    files = log._files
    for number in range(2):
        log._write(request(number))
    for path in folder.iterdir():  # as who clears the folder does
        path.unlink()
    log._finish()
    assert counts.dropped("disk") == 2
    log._write(request(2))
    log._finish()
    log.close()
    assert files.finish() == 0
    assert numbers_in(folder) == [2]
    assert counts.logged == 1


def test_after_an_error_the_disk_is_left_alone_for_a_while(tmp_path, counts):
    (tmp_path / "log").touch()
    log = RequestLog(tmp_path / "log", 1, counts.metrics)
    log._write(request(0))
    (tmp_path / "log").unlink()
    log._write(request(1))
    log.close()
    assert counts.dropped("disk") == 2
    assert finished(tmp_path / "log") == []
