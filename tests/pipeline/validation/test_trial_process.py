import subprocess
import sys

import pytest

from pipeline.validation.trial_process import PendingServer, TrialError

pytestmark = pytest.mark.e2e


def pending(code, folder, timeout_s=30.0):
    log = folder / "log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    return PendingServer(process, log, timeout_s)


def test_a_server_that_says_its_ports_is_ready(tmp_path):
    said = '{"grpc_port": 8500, "rest_port": 8501}'
    server = pending(f"print({said!r})", tmp_path).ready()
    assert server.grpc == "127.0.0.1:8500"
    assert server.rest == "http://127.0.0.1:8501"


def test_a_process_that_ends_is_quoted(tmp_path):
    code = "import sys; print('no such model', file=sys.stderr); sys.exit(3)"
    with pytest.raises(TrialError, match="ended with code 3: no such model"):
        pending(code, tmp_path).ready()


def test_a_process_that_says_nothing_is_not_waited_for_without_end(tmp_path):
    server = pending("input()", tmp_path, timeout_s=0.2)
    with pytest.raises(TrialError, match=r"not ready after 0.2 s: it said nothing"):
        server.ready()
    server.process.communicate("\n", timeout=30)
