"""A whole run on an object store: log, run folder and served models under s3://."""

import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress

import click
import pytest

from cli.object_store import staged_data
from preprocessing.storage.files import list_files, read_text
from preprocessing.storage.folder_lock import hold_folder, share_folder
from preprocessing.storage.staging import StagedFolder
from simulator import SimulatorConfig, simulate, write_log
from tests.helpers import s3_server
from tests.helpers.small_run import SETS, poso, printed_by
from tests.helpers.waiting import wait_until

RUN = f"s3://{s3_server.BUCKET}/run"
LOG = f"s3://{s3_server.BUCKET}/log"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """This process's environment is the store's, and a log lies in it."""
    if not os.environ.get("POSO_TEST_S3"):
        pytest.skip("a whole run on an object store: make test-s3")
    with s3_server.s3_server() as address, pytest.MonkeyPatch.context() as patch:
        s3_server.use(patch, address)
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        log = StagedFolder(LOG, tmp_path_factory.mktemp("log"))
        write_log(simulate(SimulatorConfig(users=300)), log.local)
        log.push()
        yield


@pytest.fixture(scope="module")
def run_arguments(pytestconfig):
    config = pytestconfig.rootpath / "configs" / "demo.yaml"
    return ["run", "--config", config, "--data", LOG, "--out", RUN, *SETS]


@pytest.fixture(scope="module")
def printed(store, run_arguments):
    return printed_by(*run_arguments)


@contextmanager
def served(*arguments, port):
    command = [sys.executable, "-m", "cli", "serve", *arguments]
    command += ["--rest-port", str(port), "--grpc-port", "0"]
    with subprocess.Popen(command) as server:
        try:
            yield
        finally:
            server.terminate()


def answer(port, path):
    """The REST answer, once the server is there."""

    def answered():
        with suppress(urllib.error.URLError):
            return urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models/{path}")

    with wait_until(answered, timeout_s=180) as response:
        return json.load(response)


@pytest.mark.e2e
def test_a_run_leaves_its_folder_in_the_store(printed):
    assert f"sent to {RUN}" in printed
    files = list_files(RUN)
    assert {"metadata.sqlite", "run.log"} <= set(files)
    assert [name for name in files if name.startswith("serving/")]
    assert [name for name in files if name.endswith("/index.html")]


@pytest.mark.e2e
def test_another_machine_goes_on_from_it(printed, run_arguments):
    before = sorted(list_files(f"{RUN}/pipeline/Trainer"))
    shutil.rmtree(os.environ["XDG_CACHE_HOME"])
    assert f"sent to {RUN}" in printed_by(*run_arguments)
    assert sorted(list_files(f"{RUN}/pipeline/Trainer")) == before


@pytest.mark.e2e
def test_the_pushed_model_is_served_from_the_store(printed, tmp_path):
    port = s3_server.free_port()
    sent = (name for name in list_files(RUN) if name.startswith("requests/"))
    requests = sorted(name for name in sent if name.endswith(".json"))
    request = tmp_path / "request.json"
    request.write_text(read_text(f"{RUN}/{requests[0]}"))
    with served("--model", f"{RUN}/serving", port=port):
        status = answer(port, "ranker")
        assert status["model_version_status"][0]["state"] == "AVAILABLE"
        ranked = printed_by("rank", request, "--rest", f"http://127.0.0.1:{port}")
    videos = json.loads(request.read_text())["candidates"]["video_id"]
    assert all(video in ranked for video in videos)


@pytest.mark.parametrize("known", ["no keys", "other keys"])
@pytest.mark.parametrize("command", ["run", "features", "serve"])
def test_whom_the_store_does_not_know_is_told_what_to_set(command, known, tmp_path):
    log = ["--config", "configs/demo.yaml", "--data", LOG, "--out", tmp_path / "out"]
    arguments = ["--model", f"{RUN}/serving"] if command == "serve" else log
    nobody = known == "no keys"
    server = s3_server.closed_server() if nobody else s3_server.s3_server(refusing=True)
    with server as address:
        environment = s3_server.environment_of(address)
        environment |= dict.fromkeys(s3_server.CREDENTIALS) if nobody else {}
        result = poso(command, *arguments, **environment)
    assert result.returncode == 1
    assert "AWS_ACCESS_KEY_ID" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("behind", [False, True])
def test_a_copy_that_others_read_is_read_as_long_as_it_is_the_stores(
    monkeypatch, tmp_path, behind
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(StagedFolder, "is_behind", lambda self: behind)
    copy = StagedFolder(LOG)
    with hold_folder(copy.root):  # makes the lock's file
        pass
    with share_folder(copy.root):
        if behind:
            with pytest.raises(click.ClickException, match="is in use by another"):
                staged_data(LOG).__enter__()
        else:
            with staged_data(LOG) as folder:
                assert folder == copy.local


def test_nothing_there_is_one_line(store):
    result = poso("serve", "--model", f"s3://{s3_server.BUCKET}/no-model")
    assert result.returncode == 1
    assert f"nothing at s3://{s3_server.BUCKET}/no-model" in result.stderr
