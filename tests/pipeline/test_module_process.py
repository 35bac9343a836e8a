import subprocess

import pytest

from pipeline.module_process import module_command


@pytest.mark.parametrize("name", ["pipeline", "serving", "preprocessing"])
def test_a_module_of_ours_runs_where_others_have_its_package_s_name(name, tmp_path):
    (tmp_path / f"{name}.py").write_text("raise SystemExit('of somebody else')")
    module = {
        "pipeline": "pipeline.module_process",
        "serving": "serving.server.settings.server_options",
        "preprocessing": "preprocessing.contract.names",
    }[name]
    done = subprocess.run(
        module_command(module), cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_arguments_and_input_are_the_module_s(tmp_path):
    (tmp_path / "tool.py").write_text("[1, 2]")
    command = [*module_command("json.tool"), "--compact", "tool.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == "[1,2]"
