from pipeline.validation.trial import TrialResult
from pipeline.validation.trial_retry import note_retry, trial_to_retry


def add(trials, number, passed, retry_of=""):
    folder = trials / str(number)
    folder.mkdir(parents=True)
    TrialResult(problems=[] if passed else ["too slow"]).write(str(folder))
    note_retry(folder, retry_of)
    return str(folder)


def test_without_a_trial_there_is_nothing_to_retry(tmp_path):
    assert trial_to_retry(tmp_path / "none") == ""


def test_a_passed_trial_is_reused(tmp_path):
    add(tmp_path, 9, passed=True)
    assert trial_to_retry(tmp_path) == ""


def test_each_failure_is_retried_until_one_passes(tmp_path):
    first = add(tmp_path, 9, passed=False)
    assert trial_to_retry(tmp_path) == first
    second = add(tmp_path, 10, passed=False, retry_of=first)
    assert trial_to_retry(tmp_path) == second
    add(tmp_path, 11, passed=True, retry_of=second)
    assert trial_to_retry(tmp_path) == second


def test_a_trial_that_was_killed_does_not_count(tmp_path):
    failed = add(tmp_path, 9, passed=False)
    (tmp_path / "10").mkdir()
    assert trial_to_retry(tmp_path) == failed
