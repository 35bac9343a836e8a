"""Signatures run in a session, against TensorFlow's own function of the SavedModel."""

import numpy as np
import pytest
import tensorflow as tf

from serving.protocol.errors import InvalidArgument
from serving.server.models.saved_model import SessionThreads, load_version
from tests.helpers.toy_model import CANDIDATES, USER, as_tensor

ARRAYS = {name: np.asarray(as_tensor(value)) for name, value in USER.items()} | {
    name: np.asarray(as_tensor(value)) for name, value in CANDIDATES.items()
}


@pytest.fixture(scope="module")
def version(model_dir):
    return load_version(str(model_dir / "2"), 2)


def check_rank(version, in_process):
    outputs = version.signature("rank").run(ARRAYS)
    for name, expected in in_process("rank", USER | CANDIDATES).items():
        np.testing.assert_array_equal(outputs[name], expected)
        assert outputs[name].dtype == expected.dtype


def test_a_signature_answers_what_the_saved_model_does(version, in_process):
    check_rank(version, in_process)


def test_so_it_does_without_the_sessions_own_handle(model_dir, in_process, monkeypatch):
    session = tf.compat.v1.Session
    monkeypatch.setattr(session, "_make_callable_from_options", None)
    check_rank(load_version(str(model_dir / "2"), 2), in_process)


def test_so_it_does_with_tensorflows_threads(model_dir, in_process):
    threads = SessionThreads(intra_op=0, inter_op=0)
    check_rank(load_version(str(model_dir / "2"), 2, threads), in_process)


def test_only_what_requests_may_ask_for_can_be_run(version):
    assert "__saved_model_init_op" in version.definitions
    assert set(version.signatures) == {
        name for name in version.definitions if not name.startswith("__")
    }


def test_what_the_graph_refuses_has_its_code_and_no_stack(version):
    with pytest.raises(InvalidArgument, match="Could not parse") as raised:
        version.signature("").run({"examples": np.array([b"no example"], object)})
    assert "File" not in raised.value.message


@pytest.mark.parametrize("handle", [True, False])
def test_what_it_says_of_bytes_that_are_no_text_has_its_code_too(
    model_dir, monkeypatch, handle
):
    """Python cannot make the exception whose message quotes them."""
    if not handle:
        session = tf.compat.v1.Session
        monkeypatch.setattr(session, "_make_callable_from_options", None)
    version = load_version(str(model_dir / "2"), 2)
    with pytest.raises(InvalidArgument, match=r"Could not parse example .*�� x"):
        version.signature("").run({"examples": np.array([b"\xff\xfe x"], object)})


def test_a_scalar_string_is_an_array(tmp_path):
    module = tf.Module()
    module.hello = tf.function(
        lambda x: {"text": tf.strings.reduce_join(x), "length": tf.size(x)},
        input_signature=[tf.TensorSpec([None], tf.string, name="x")],
    )
    tf.saved_model.save(module, str(tmp_path), {"serving_default": module.hello})
    outputs = (
        load_version(str(tmp_path), 1)
        .signature("")
        .run({"x": np.array([b"a\0", b"b"], object)})
    )
    assert (outputs["text"].shape, outputs["text"].item()) == ((), b"a\0b")
    assert (outputs["length"].dtype, outputs["length"].item()) == (np.int32, 2)


def test_a_signature_of_ragged_tensors_is_left_out(tmp_path, caplog):
    module = tf.Module()
    module.dense = tf.function(
        lambda x: {"y": x}, input_signature=[tf.TensorSpec([None], tf.float32, "x")]
    )
    module.sparse = tf.function(
        lambda x: {"y": tf.sparse.from_dense(x)},
        input_signature=[tf.TensorSpec([None], tf.float32, "x")],
    )
    signatures = {"dense": module.dense, "sparse": module.sparse}
    tf.saved_model.save(module, str(tmp_path), signatures)
    assert set(load_version(str(tmp_path), 1).signatures) == {"dense"}
    assert "signature sparse is not served" in caplog.text
