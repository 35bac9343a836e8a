"""Other people's clients of TensorFlow Serving, unchanged, each in its own environment.

They are installed from the package index, so this runs where POSO_TEST_CLIENTS is set:
`make test-clients`. The scripts beside this file import nothing but the client.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from serving.server.embedded_server import EmbeddedServer
from serving.server.settings.server_options import ServerOptions
from tests.helpers import write_model

HERE = Path(__file__).parent
REQUIREMENTS = HERE.parents[2] / "requirements" / "clients"

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        "POSO_TEST_CLIENTS" not in os.environ, reason="needs the package index"
    ),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("conformance")
    write_model.write(folder)
    with EmbeddedServer(
        models=folder / "models.config",
        options=ServerOptions(
            grpc_port=0,
            rest_port=0,
            allow_version_labels_for_unavailable_models=True,
        ),
    ) as server:
        yield f"127.0.0.1:{server.grpc_port}"


@pytest.mark.parametrize("name", sorted(path.stem for path in REQUIREMENTS.iterdir()))
def test_client(address, tmp_path, name):
    python = tmp_path / "bin" / "python"
    script = HERE / f"ask_{name.replace('-', '_')}.py"
    run([sys.executable, "-m", "venv", tmp_path])
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]
    run([python, *install, REQUIREMENTS / f"{name}.txt"])
    print(run([python, script, address]))


def run(command):
    # A client must not find this repository's packages.
    result = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        cwd="/",
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout
