"""The list of a version's files: all of them, and a mark that there is a list."""

import json
import zlib

import pytest
import tensorflow as tf

from serving.export.version_files import list_version_files
from serving.protocol.version_files import FILE_LIST
from tests.helpers import toy_model


@pytest.fixture
def version(tmp_path):
    toy_model.save(str(tmp_path / "1"), offset=1.0)
    list_version_files(str(tmp_path / "1"))
    return tmp_path / "1"


def test_every_other_file_is_listed_with_size_and_crc(version):
    contents = {
        path.relative_to(version).as_posix(): path.read_bytes()
        for path in version.rglob("*")
        if path.is_file()
    }
    del contents[FILE_LIST]
    assert "variables/variables.index" in contents
    assert json.loads((version / FILE_LIST).read_text())["files"] == {
        name: {"bytes": len(content), "crc32": f"{zlib.crc32(content):08x}"}
        for name, content in contents.items()
    }


def test_listing_twice_changes_nothing(version):
    first = (version / FILE_LIST).read_bytes()
    list_version_files(str(version))
    assert (version / FILE_LIST).read_bytes() == first


def test_the_mark_leaves_the_model_as_it_was(version, tmp_path):
    toy_model.save(str(tmp_path / "unmarked"), offset=1.0)
    marked, unmarked = (
        tf.saved_model.load(str(folder)) for folder in (version, tmp_path / "unmarked")
    )
    assert set(marked.signatures) == set(unmarked.signatures)
    x = tf.constant([[1.0, 2.0]])
    answers = [each.signatures["doubled"](x=x)["y"] for each in (marked, unmarked)]
    tf.debugging.assert_equal(*answers)
