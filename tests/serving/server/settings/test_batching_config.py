import pytest

from serving.server.settings.batching_config import (
    BatchingParameters,
    read_batching_config,
)
from serving.server.settings.text_config import ServerConfigError


@pytest.fixture
def file_of(tmp_path):
    def write(text):
        path = tmp_path / "batching.config"
        path.write_text(text)
        return path

    return write


def test_an_empty_file_has_the_defaults_of_tensorflow_serving(file_of, monkeypatch):
    # As many as the process may use, on whatever machine.
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0, 1, 5})
    assert read_batching_config(file_of("")) == BatchingParameters(
        max_batch_size=1000,
        batch_timeout_micros=0,
        max_enqueued_batches=10,
        num_batch_threads=3,
        thread_pool_name="batch_threads",
        allowed_batch_sizes=(),
        pad_variable_length_inputs=False,
        enable_large_batch_splitting=False,
        max_execution_batch_size=None,
    )


def test_every_field_is_read(file_of):
    text = """
    max_batch_size { value: 128 }
    batch_timeout_micros { value: 1500 }
    max_enqueued_batches { value: 7 }
    num_batch_threads { value: 3 }
    thread_pool_name { value: "rankers" }
    allowed_batch_sizes: 32
    allowed_batch_sizes: 128
    pad_variable_length_inputs: true
    enable_large_batch_splitting { value: true }
    max_execution_batch_size { value: 32 }
    """
    parameters = read_batching_config(file_of(text))
    assert parameters == BatchingParameters(
        128, 1500, 7, 3, "rankers", (32, 128), True, True, 32
    )
    assert parameters.largest_batch == 32
    assert parameters.timeout_s == 0.0015


def test_sizes_are_filled_up_to_the_next_allowed_one():
    parameters = BatchingParameters(8, allowed_batch_sizes=(2, 8))
    assert [parameters.padded_size(rows) for rows in (1, 2, 3, 8)] == [2, 2, 8, 8]
    assert BatchingParameters(8).padded_size(3) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max_batch_size: 3", "no BatchingParameters in text format"),
        ("max_batchsize { value: 3 }", "max_batchsize"),
        ("mixed_priority_batching_policy: 1", "mixed_priority_batching_policy"),
        ("max_batch_size { value: 0 }", "max_batch_size: expected at least 1, .* 0"),
        ("num_batch_threads { value: 0 }", "num_batch_threads: expected at least 1"),
        ("max_enqueued_batches { value: -1 }", "max_enqueued_batches: .* received -1"),
        ("batch_timeout_micros { value: -1 }", "batch_timeout_micros: .* at least 0"),
        ("allowed_batch_sizes: 64", r"max_batch_size \(1000\), received 64"),
        (
            "max_batch_size { value: 4 } allowed_batch_sizes: [4, 4]",
            r"increasing positive sizes, received \[4, 4\]",
        ),
        ("max_execution_batch_size { value: 4 }", "enable_large_batch_splitting"),
        (
            "enable_large_batch_splitting { value: true } "
            "max_batch_size { value: 4 } max_execution_batch_size { value: 5 }",
            r"at most max_batch_size \(4\), received 5",
        ),
    ],
)
def test_what_cannot_be_done_is_an_error_that_names_the_file(file_of, text, message):
    path = file_of(text)
    with pytest.raises(ServerConfigError, match=message) as raised:
        read_batching_config(path)
    assert str(path) in str(raised.value)
