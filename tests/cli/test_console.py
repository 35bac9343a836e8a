from cli.console import shown


def test_a_path_in_the_working_folder_is_shown_relative(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shown(tmp_path / "runs" / "demo") == "runs/demo"
    assert shown(tmp_path.parent / "other") == str(tmp_path.parent / "other")
