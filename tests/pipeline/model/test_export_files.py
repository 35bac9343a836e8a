"""An exported model lists its files, so a server notices a copy that is not whole."""

import json
import shutil

import pytest

from serving.protocol.version_files import FILE_LIST
from serving.server.models.loading import load_and_warm_up
from serving.server.models.saved_model import ModelLoadError
from serving.server.models.version_files import check_version_files


@pytest.fixture
def copy(exported_dir, tmp_path):
    shutil.copytree(exported_dir, tmp_path / "7")
    return tmp_path / "7"


def test_an_export_lists_all_its_files(exported_dir):
    listed = json.loads((exported_dir / FILE_LIST).read_text())["files"]
    files = {
        path.relative_to(exported_dir).as_posix()
        for path in exported_dir.rglob("*")
        if path.is_file()
    }
    assert set(listed) == files - {FILE_LIST}
    assert "assets.extra/tf_serving_warmup_requests" in listed
    assert "assets.extra/label_rules.json" in listed
    assert any(name.startswith("assets/") for name in listed)
    check_version_files(str(exported_dir))


def test_a_vocabulary_that_is_cut_short_is_noticed(copy):
    """Its words would be embedded as unknown ones, and nothing else would tell."""
    for vocabulary in (copy / "assets").iterdir():
        content = vocabulary.read_bytes()
        vocabulary.write_bytes(content[: len(content) // 3])
    with pytest.raises(ModelLoadError, match=r"assets/.* has .* bytes instead of"):
        load_and_warm_up("ranker", 7, str(copy))
