import click
import pytest

from cli.out_folder import check_features_output


def test_the_option_and_the_file_in_the_way_are_named(tmp_path):
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "extract.py").touch()
    with pytest.raises(click.ClickException) as caught:
        check_features_output(str(tmp_path), str(tmp_path / "log"), None)
    message = caught.value.message
    assert message.startswith(f"--out {tmp_path}: {tmp_path}/features/extract.py")
    assert "Choose another folder" in message
    assert "\n" not in message
