import pytest

from experiments.kept_result import KeptResult


def failing():
    raise KeyboardInterrupt


def test_a_result_is_kept_for_what_it_is_of(tmp_path):
    file = tmp_path / "folder" / "result.json"
    kept = KeptResult(file, {"rate": 0.1})
    assert kept.read() is None
    assert kept.make(lambda: {"gauc": 0.6}) == {"gauc": 0.6}
    assert KeptResult(file, {"rate": 0.1}).read() == {"gauc": 0.6}
    assert KeptResult(file, {"rate": 0.2}).read() is None


def test_what_is_beside_a_result_is_never_taken_for_that_of_another(tmp_path):
    """A run that is stopped has replaced the scores, but not the result."""
    file = tmp_path / "result.json"
    first = KeptResult(file, {"rate": 0.1})
    first.make(lambda: {})
    with pytest.raises(KeyboardInterrupt):
        KeptResult(file, {"rate": 0.2}).make(failing)
    assert first.read() is None
