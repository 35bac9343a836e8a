"""A version that is copied beside one that is served: live once whole, never before."""

import shutil

import pytest

from serving.export.version_files import list_version_files
from serving.server.embedded_server import EmbeddedServer
from serving.server.settings.server_options import ServerOptions
from tests.helpers import toy_model
from tests.helpers.waiting import wait_until

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    for number in (1, 2):
        toy_model.save(str(folder / str(number)), offset=float(number))
        warmup = toy_model.warmup_log("doubled", {"x": [[1.0, 2.0]]})
        toy_model.write_warmup(str(folder / str(number)), warmup)
        (folder / str(number) / "assets").mkdir(exist_ok=True)
        (folder / str(number) / "assets" / "vocabulary").write_text("music\nnews\n")
        list_version_files(str(folder / str(number)))
    return folder


@pytest.mark.parametrize("late", ["assets/vocabulary", "assets.extra", "variables"])
def test_the_older_version_goes_on_until_the_copy_is_whole(
    exported, make_rest, tmp_path, late
):
    base = tmp_path / "m"
    shutil.copytree(exported / "1", base / "1")
    options = ServerOptions(grpc_port=0, rest_port=0, poll_s=0.05)
    with EmbeddedServer(base, options) as server:
        rest = make_rest(server)

        def states():
            status = rest.get("/v1/models/ranker")[1]["model_version_status"]
            return {int(each["version"]): each["state"] for each in status}

        def answer():
            request = {"signature_name": "doubled", "inputs": {"x": [[1.0, 2.0]]}}
            return rest.predict(request)[1]["outputs"]

        partial = tmp_path / "partial"
        shutil.copytree(exported / "2", partial)
        (partial / late).rename(tmp_path / "late")
        partial.rename(base / "2")
        wait_until(lambda: states().get(2) == "END", 60)
        assert states() == {1: "AVAILABLE", 2: "END"}
        assert answer() == [[3.0, 5.0]]
        (tmp_path / "late").rename(base / "2" / late)
        wait_until(lambda: states() == {1: "END", 2: "AVAILABLE"}, 60)
        assert answer() == [[4.0, 6.0]]
