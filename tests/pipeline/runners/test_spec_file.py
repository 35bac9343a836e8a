import pytest

from pipeline.runners.spec_file import check_spec_file


def test_a_new_file_and_an_earlier_specification_may_be_written(tmp_path):
    for name in ("new.yaml", "new.json"):
        check_spec_file(tmp_path / name)
    (tmp_path / "old.yaml").write_text("deploymentSpec: {comp-ImpressionExampleGen: 1}")
    check_spec_file(tmp_path / "old.yaml")


@pytest.mark.parametrize("content", ["name: mine\n", ""])
def test_a_file_of_the_users_own_is_kept(tmp_path, content):
    path = tmp_path / "config.yaml"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"config\.yaml is there and is no compiled"):
        check_spec_file(path)
    assert path.read_text() == content


def test_another_kind_of_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"\.yaml or \.json.*\.txt"):
        check_spec_file(tmp_path / "pipeline.txt")
