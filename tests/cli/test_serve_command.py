"""`poso serve`: what it asks for and how it fails."""

import socket

import pytest
from click.testing import CliRunner

from cli.main import main
from serving.server.settings.server_options import ServerOptions

FREE = ("--grpc-port", 0, "--rest-port", 0)


def serve(*arguments):
    return CliRunner().invoke(main, ["serve", *map(str, arguments)])


@pytest.mark.parametrize("both", [True, False])
def test_one_source_of_models(tmp_path, both):
    file = tmp_path / "models.config"
    file.touch()
    result = (
        serve("--model", tmp_path, "--model-config-file", file) if both else serve()
    )
    assert result.exit_code == 2
    assert "either --model DIR or --model-config-file FILE" in result.output


@pytest.mark.parametrize(
    ("model", "why"), [("", "it is empty"), ("s3://", "'s3://' names no bucket")]
)
def test_a_place_that_is_none_is_refused(model, why):
    result = serve("--model", model)
    assert result.exit_code == 2
    assert f"Invalid value for '--model': {why}" in result.output


def test_a_folder_without_versions_is_explained(tmp_path):
    result = serve("--model", tmp_path, *FREE)
    assert result.exit_code == 1
    assert "no version to serve" in result.output
    assert "Traceback" not in result.output


def test_a_broken_configuration_is_explained(tmp_path):
    file = tmp_path / "models.config"
    file.write_text('model_config_list {\n  config { nme: "a" }\n}')
    result = serve("--model-config-file", file, *FREE)
    assert result.exit_code == 1
    assert f"{file}:2:12 : Message type" in result.output


def test_a_broken_batching_file_is_explained(tmp_path):
    file = tmp_path / "batching.config"
    file.write_text("max_batch_size { value: 0 }")
    result = serve("--model", tmp_path, "--batching-parameters-file", file)
    assert result.exit_code == 1
    assert str(file) in result.output
    assert "max_batch_size" in result.output


def test_the_options_are_those_of_tensorflow_serving(monkeypatch, tmp_path):
    import serving.server.embedded_server

    received = {}
    monkeypatch.setattr(
        serving.server.embedded_server,
        "serve_forever",
        lambda model_dir, options, models: received.update(
            vars(options), model_dir=model_dir, models=models
        ),
    )
    file = tmp_path / "models.config"
    file.touch()
    batching = tmp_path / "batching.config"
    batching.write_text("max_batch_size { value: 8 }")
    options = (
        "--model-config-file-poll-wait-seconds 30 --file-system-poll-wait-seconds 0 "
        f"--batching-parameters-file {batching} "
        f"--request-log {tmp_path / 'log'} --request-log-share 0.5"
    )
    result = serve("--model-config-file", file, *FREE, *options.split())
    assert result.exit_code == 0, result.output
    assert received["models"] == file
    assert received["model_dir"] is None
    assert received["batching"].max_batch_size == 8
    assert (received["config_poll_s"], received["poll_s"]) == (30, 0)
    assert received["request_log"] == tmp_path / "log"
    assert received["request_log_share"] == 0.5
    assert received["rest_timeout_s"] == ServerOptions.rest_timeout_s
    assert serve("--model", tmp_path, "--file-system-poll-wait-seconds", -1).exit_code
    assert serve("--model", tmp_path, "--request-log-share", 1.5).exit_code == 2


@pytest.mark.parametrize("protocol", ["grpc", "rest"])
def test_a_port_that_is_in_use_is_one_line_at_once(tmp_path, protocol):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = serve("--model", tmp_path, *FREE, f"--{protocol}-port", port)
    assert result.exit_code == 1
    [line] = result.output.splitlines()
    assert line.startswith(f"Error: cannot listen on 127.0.0.1:{port} for ")
    assert f"choose another {protocol}_port" in line


def test_a_port_that_was_taken_meanwhile_is_one_line(monkeypatch, tmp_path):
    from serving.server import embedded_server
    from serving.server.ports import ListenError

    def refuse(*_):
        raise ListenError("cannot listen on 127.0.0.1:8500 for gRPC")

    monkeypatch.setattr(embedded_server, "serve_forever", refuse)
    result = serve("--model", tmp_path, *FREE)
    assert result.exit_code == 1
    assert result.output == "Error: cannot listen on 127.0.0.1:8500 for gRPC\n"
    assert serve("--model", tmp_path, "--grpc-port", 70000).exit_code == 2
