import pytest

from pipeline.runners.run_paths import RunPaths
from pipeline.runners.run_result import RunResult, read_result


def test_the_evaluation_split_lies_where_tfx_puts_it(tmp_path):
    result = RunResult(
        report=tmp_path,
        metrics={},
        examples=tmp_path / "examples",
        model=tmp_path,
        pushed=None,
    )
    assert result.eval_dir == tmp_path / "examples" / "Split-eval"


def test_a_folder_without_a_run_is_an_error_that_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no run"):
        read_result(RunPaths(tmp_path))
