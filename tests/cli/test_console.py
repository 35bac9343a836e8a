from cli.console import display_path


def test_a_path_in_the_working_folder_is_shown_relative(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert display_path(tmp_path / "runs" / "demo") == "runs/demo"
    assert display_path(tmp_path.parent / "other") == str(tmp_path.parent / "other")
