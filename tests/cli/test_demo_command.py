from click.testing import CliRunner

from cli.main import main


def test_a_bad_configuration_is_explained_without_a_traceback(tmp_path):
    config = tmp_path / "bad.yaml"
    config.write_text("trainning: {epochs: 1}\n")
    arguments = ["--out", tmp_path / "out", "--config", config, "--users", 200]
    result = CliRunner().invoke(main, ["demo", *map(str, arguments)])
    assert result.exit_code == 1
    assert "did you mean 'training'?" in result.output
    assert isinstance(result.exception, SystemExit)
    assert not (tmp_path / "out").exists()
